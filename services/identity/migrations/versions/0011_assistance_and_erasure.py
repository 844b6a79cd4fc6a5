"""Assisted sessions, consent, export, erasure and legal holds."""

from alembic import op

from privacy import migrations as privacy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CREATE = (
    """
    create table assisted_session (
        assist_id uuid not null,
        subject_id uuid not null,
        helper_id uuid not null,
        organisation_id uuid not null,
        actions text[] not null,
        evidence text not null,
        challenge_id uuid,
        witness_id uuid,
        asked_at timestamptz not null,
        consented_at timestamptz,
        expires_at timestamptz,
        ticket_hash bytea,
        ticket_expires_at timestamptz,
        exchanged_at timestamptz,
        helper_session_id uuid,
        ended_at timestamptz,
        ended_by uuid,
        constraint pk_assisted_session primary key (assist_id),
        constraint uq_assisted_session_ticket_hash unique (ticket_hash),
        constraint ck_assisted_session_evidence check (evidence in ('one_time_code', 'witness')),
        constraint ck_assisted_session_two_people check (subject_id <> helper_id),
        constraint ck_assisted_session_a_third_person check (witness_id not in (subject_id, helper_id)),
        constraint ck_assisted_session_actions check (cardinality(actions) between 1 and 50),
        constraint ck_assisted_session_consent check ((consented_at is null) = (expires_at is null)),
        constraint ck_assisted_session_half_an_hour check (expires_at <= consented_at + interval '30 minutes'),
        constraint ck_assisted_session_ticket
            check (
                (ticket_hash is null) = (ticket_expires_at is null)
                and (ticket_hash is null or consented_at is not null)
            ),
        constraint ck_assisted_session_exchanged check (exchanged_at is null or ticket_hash is not null),
        constraint fk_assisted_session_subject_id_account foreign key (subject_id) references account (account_id),
        constraint fk_assisted_session_helper_id_account foreign key (helper_id) references account (account_id)
    )
    """,
    "create index ix_assisted_session_subject_id on assisted_session (subject_id, asked_at, assist_id)",
    "create index ix_assisted_session_helper_id on assisted_session (helper_id, asked_at, assist_id)",
    "create index ix_assisted_session_open on assisted_session (expires_at) where ended_at is null",
    """
    create table consent (
        consent_id uuid not null,
        person_id uuid not null,
        purpose text not null,
        text_version integer not null,
        given_at timestamptz not null,
        withdrawn_at timestamptz,
        constraint pk_consent primary key (consent_id),
        constraint ck_consent_text_version check (text_version > 0),
        constraint fk_consent_person_id_account foreign key (person_id) references account (account_id)
    )
    """,
    "create index ix_consent_person_id on consent (person_id, purpose, given_at)",
    "create unique index uq_consent_given on consent (person_id, purpose) where withdrawn_at is null",
    """
    create table export_request (
        export_id uuid not null,
        person_id uuid not null,
        asked_at timestamptz not null,
        expires_at timestamptz not null,
        constraint pk_export_request primary key (export_id),
        constraint fk_export_request_person_id_account foreign key (person_id) references account (account_id)
    )
    """,
    "create index ix_export_request_person_id on export_request (person_id, asked_at, export_id)",
    "create index ix_export_request_expires_at on export_request (expires_at)",
    """
    create table legal_hold (
        hold_id uuid not null,
        person_id uuid not null,
        basis text not null,
        placed_by uuid not null,
        placed_at timestamptz not null,
        holds_until date,
        lifted_by uuid,
        lifted_at timestamptz,
        constraint pk_legal_hold primary key (hold_id),
        constraint ck_legal_hold_lifted check ((lifted_by is null) = (lifted_at is null)),
        constraint fk_legal_hold_person_id_account foreign key (person_id) references account (account_id)
    )
    """,
    "create index ix_legal_hold_person_id on legal_hold (person_id, placed_at, hold_id)",
    """
    create table erasure (
        person_id uuid not null,
        decided_at timestamptz not null,
        times_told integer not null,
        told_at timestamptz not null,
        constraint pk_erasure primary key (person_id)
    )
    """,
    "create index ix_erasure_told_at on erasure (told_at)",
    "alter table account drop constraint ck_account_status",
    """
    alter table account add constraint ck_account_status check (status in ('active', 'deactivated', 'erased'))
    """,
)


def upgrade() -> None:
    privacy.create_v1(op)
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("erasure", "legal_hold", "export_request", "consent", "assisted_session"):
        op.execute(f"drop table {table}")
    op.execute("update account set status = 'deactivated' where status = 'erased'")
    op.execute("alter table account drop constraint ck_account_status")
    op.execute("alter table account add constraint ck_account_status check (status in ('active', 'deactivated'))")
    privacy.drop_v1(op)
