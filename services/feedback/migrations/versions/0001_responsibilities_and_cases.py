"""The dated responsibility table, cases, and their append-only entries."""

from alembic import op

from messaging import migrations as messaging
from orgtree import migrations as orgtree
from webapi import migrations as webapi

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    create table responsibility (
        responsibility_id uuid not null,
        category text not null,
        organisation_id uuid not null,
        responsible_id uuid not null,
        working_days integer not null,
        valid_from date not null,
        assigned_by uuid not null,
        assigned_at timestamptz not null,
        constraint pk_responsibility primary key (responsibility_id),
        constraint uq_responsibility_category_organisation_id_valid_from
            unique (category, organisation_id, valid_from),
        constraint ck_responsibility_working_days_bounded check (working_days between 1 and 90)
    )
    """,
    "create index ix_responsibility_organisation_id on responsibility (organisation_id)",
    """
    create table feedback_case (
        case_id uuid not null,
        category text not null,
        organisation_id uuid not null,
        responsibility_id uuid not null,
        responsible_id uuid not null,
        reporter_id uuid,
        status text not null,
        opened_at timestamptz not null,
        due_at timestamptz not null,
        due_provisionally boolean not null,
        answered_at timestamptz,
        confirmed_at timestamptz,
        data_key bytea not null,
        version integer not null,
        constraint pk_feedback_case primary key (case_id),
        constraint ck_feedback_case_status_known check (status in ('open', 'answered', 'confirmed')),
        constraint ck_feedback_case_answered_at_a_time check ((status = 'open') = (answered_at is null)),
        constraint ck_feedback_case_confirmed_at_a_time
            check ((status = 'confirmed') = (confirmed_at is not null)),
        constraint fk_feedback_case_responsibility_id_responsibility
            foreign key (responsibility_id) references responsibility (responsibility_id)
    )
    """,
    "create index ix_feedback_case_opened_at on feedback_case (opened_at, case_id)",
    "create index ix_feedback_case_organisation_id on feedback_case (organisation_id, opened_at, case_id)",
    "create index ix_feedback_case_reporter_id on feedback_case (reporter_id, opened_at, case_id)",
    "create index ix_feedback_case_responsible_id on feedback_case (responsible_id, opened_at, case_id)",
    """
    create table case_entry (
        case_id uuid not null,
        version integer not null,
        kind text not null,
        actor_id uuid,
        at timestamptz not null,
        text bytea,
        constraint pk_case_entry primary key (case_id, version),
        constraint ck_case_entry_kind_known check (kind in ('opened', 'answered', 'confirmed')),
        constraint fk_case_entry_case_id_feedback_case foreign key (case_id) references feedback_case (case_id)
    )
    """,
    # What was said stays said: erasing a person destroys the key that seals it, never the entry.
    """
    create function refuse_change() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
    end $$
    """,
    """
    create trigger case_entry_append_only before update or delete or truncate on case_entry
    for each statement execute function refuse_change()
    """,
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("case_entry", "feedback_case", "responsibility"):
        op.execute(f"drop table {table}")
    op.execute("drop function refuse_change()")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
