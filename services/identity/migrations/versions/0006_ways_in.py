"""One-time codes, messages to send, throttling and recovery."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "message_to_send",
    "challenge",
    "rate_count",
    "guess_count",
    "known_browser",
    "recovery",
    "recovery_approval",
)

CREATE = (
    """
    create table message_to_send (
        message_id uuid not null,
        text text not null,
        language text not null,
        sealed bytea not null,
        withheld boolean not null,
        attempts integer default '0' not null,
        queued_at timestamptz not null,
        next_attempt_at timestamptz not null,
        expires_at timestamptz not null,
        constraint pk_message_to_send primary key (message_id),
        constraint ck_message_to_send_language check (language in ('zh', 'en'))
    )
    """,
    "create index ix_message_to_send_next_attempt_at on message_to_send (next_attempt_at)",
    """
    create table challenge (
        challenge_id uuid not null,
        purpose text not null,
        account_id uuid,
        phone_index bytea not null,
        sealed_phone bytea not null,
        code_hash bytea not null,
        bound_to bytea,
        tries integer default '0' not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        ended_at timestamptz,
        constraint pk_challenge primary key (challenge_id),
        constraint ck_challenge_tries check (tries between 0 and 5),
        constraint fk_challenge_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_challenge_open on challenge (phone_index, purpose) where ended_at is null",
    "create index ix_challenge_account_id on challenge (account_id)",
    "create index ix_challenge_expires_at on challenge (expires_at)",
    """
    create table rate_count (
        subject bytea not null,
        window_seconds integer not null,
        began_at timestamptz not null,
        counted integer not null,
        expires_at timestamptz not null,
        constraint pk_rate_count primary key (subject, window_seconds)
    )
    """,
    "create index ix_rate_count_expires_at on rate_count (expires_at)",
    """
    create table guess_count (
        subject bytea not null,
        failures integer not null,
        blocked_until timestamptz not null,
        expires_at timestamptz not null,
        constraint pk_guess_count primary key (subject)
    )
    """,
    "create index ix_guess_count_expires_at on guess_count (expires_at)",
    """
    create table known_browser (
        secret_hash bytea not null,
        account_id uuid not null,
        known_since timestamptz not null,
        expires_at timestamptz not null,
        constraint pk_known_browser primary key (secret_hash, account_id),
        constraint fk_known_browser_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_known_browser_account_id on known_browser (account_id)",
    "create index ix_known_browser_expires_at on known_browser (expires_at)",
    """
    create table recovery (
        recovery_id uuid not null,
        account_id uuid not null,
        organisation_id uuid not null,
        status text not null,
        needs_approval boolean not null,
        lost_device boolean not null,
        requested_at timestamptz not null,
        ready_at timestamptz,
        objected_at timestamptz,
        completed_at timestamptz,
        expires_at timestamptz not null,
        proof_hash bytea,
        proof_expires_at timestamptz,
        constraint pk_recovery primary key (recovery_id),
        constraint fk_recovery_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade,
        constraint ck_recovery_status check (status in ('requested', 'approved', 'objected', 'completed', 'lapsed')),
        constraint ck_recovery_ready_once_approved
            check (ready_at is not null or status not in ('approved', 'completed')),
        constraint ck_recovery_objected check ((objected_at is null) = (status <> 'objected')),
        constraint ck_recovery_completed check ((completed_at is null) = (status <> 'completed')),
        constraint ck_recovery_proof check ((proof_hash is null) = (proof_expires_at is null))
    )
    """,
    "create index ix_recovery_account_id on recovery (account_id)",
    "create index ix_recovery_organisation_id on recovery (organisation_id)",
    "create index ix_recovery_expires_at on recovery (expires_at)",
    "create unique index uq_recovery_open on recovery (account_id) where status in ('requested', 'approved')",
    "create unique index uq_recovery_proof_hash on recovery (proof_hash)",
    """
    create table recovery_approval (
        recovery_id uuid not null,
        approver_id uuid not null,
        approved_at timestamptz not null,
        constraint pk_recovery_approval primary key (recovery_id, approver_id),
        constraint fk_recovery_approval_recovery_id_recovery foreign key (recovery_id)
            references recovery (recovery_id) on delete cascade
    )
    """,
    "create unique index uq_identifier_phone on identifier (account_id) where kind = 'phone'",
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index uq_identifier_phone")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
