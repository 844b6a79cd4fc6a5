"""The organisation register with its periods, the member files in versions, who opened them, counts per branch."""

from alembic import op

from messaging import migrations as messaging
from orgtree import migrations as orgtree
from orgtree import root
from webapi import migrations as webapi

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FOUNDED = "1921-07-23"

TABLES = (
    """
    create table registered_organisation (
        organisation_id uuid not null constraint pk_registered_organisation primary key,
        parent_id uuid constraint fk_registered_organisation_parent_id_registered_organisation
            references registered_organisation (organisation_id),
        kind text not null,
        level text not null,
        name text not null,
        division_code text,
        established_on date not null,
        dissolved_on date,
        version bigint not null
    )
    """,
    "create index ix_registered_organisation_parent_id on registered_organisation (parent_id)",
    # Only the root has no parent.
    "create unique index uq_registered_organisation_root on registered_organisation ((true)) where parent_id is null",
    """
    create table organisation_period (
        organisation_id uuid not null constraint fk_organisation_period_organisation_id_registered_organisation
            references registered_organisation (organisation_id),
        from_day date not null,
        until_day date constraint ck_organisation_period_days check (until_day >= from_day),
        parent_id uuid,
        name text not null,
        division_code text,
        constraint pk_organisation_period primary key (organisation_id, from_day)
    )
    """,
    "create unique index uq_organisation_period_open on organisation_period (organisation_id) where until_day is null",
    "create index ix_organisation_period_parent_id on organisation_period (parent_id, from_day)",
    """
    create table member (
        person_id uuid not null constraint pk_member primary key,
        organisation_id uuid not null constraint fk_member_organisation_id_registered_organisation
            references registered_organisation (organisation_id),
        stage text not null,
        away boolean not null,
        smartphone boolean not null,
        birth_month date not null,
        id_number_index bytea not null constraint uq_member_id_number_index unique,
        phone_index bytea,
        version bigint not null,
        affiliation_version bigint not null
    )
    """,
    "create index ix_member_organisation_id on member (organisation_id, person_id)",
    "create index ix_member_phone_index on member (phone_index)",
    """
    create table member_key (
        person_id uuid not null constraint pk_member_key primary key
            constraint fk_member_key_person_id_member references member (person_id),
        wrapped bytea,
        made_at timestamptz not null,
        destroyed_at timestamptz,
        constraint ck_member_key_destroyed check ((wrapped is null) = (destroyed_at is not null))
    )
    """,
    """
    create table member_version (
        person_id uuid not null constraint fk_member_version_person_id_member references member (person_id),
        version bigint not null,
        recorded_at timestamptz not null,
        recorded_by uuid not null,
        organisation_id uuid not null,
        stage text not null,
        away boolean not null,
        smartphone boolean not null,
        name bytea not null,
        id_number bytea not null,
        phone bytea,
        constraint pk_member_version primary key (person_id, version)
    )
    """,
    """
    create table file_access (
        access_id uuid not null default uuidv7() constraint pk_file_access primary key,
        person_id uuid not null,
        reader_id uuid not null,
        on_behalf_of uuid,
        purpose text not null,
        fields text[] not null,
        opened_at timestamptz not null
    )
    """,
    "create index ix_file_access_person_id on file_access (person_id, opened_at)",
    """
    create table composition (
        organisation_id uuid not null constraint pk_composition primary key
            constraint fk_composition_organisation_id_registered_organisation
            references registered_organisation (organisation_id),
        members integer not null,
        away integer not null,
        without_smartphone integer not null,
        stages jsonb not null,
        age_bands jsonb not null,
        counted_on date not null,
        version bigint not null
    )
    """,
    "create index ix_composition_counted_on on composition (counted_on)",
    f"""
    insert into registered_organisation (organisation_id, kind, level, name, established_on, version)
    values ('{root.ROOT_ID}', '{root.ROOT_KIND}', '{root.ROOT_LEVEL}', '{root.ROOT_NAME}', '{FOUNDED}', 0)
    """,  # noqa: S608 - constants
    f"""
    insert into organisation_period (organisation_id, from_day, name)
    values ('{root.ROOT_ID}', '{FOUNDED}', '{root.ROOT_NAME}')
    """,  # noqa: S608 - constants
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "composition",
        "file_access",
        "member_version",
        "member_key",
        "member",
        "organisation_period",
        "registered_organisation",
    ):
        op.execute(f"drop table {table}")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
