"""Passkeys, second factors and linked accounts."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("totp", "recovery_code", "passkey", "passkey_ceremony", "federated_identity", "wechat_visit")

CREATE = (
    """
    create table totp (
        totp_id uuid not null,
        account_id uuid not null,
        sealed bytea not null,
        made_at timestamptz not null,
        confirmed_at timestamptz,
        last_used_step integer,
        constraint pk_totp primary key (totp_id),
        constraint ck_totp_confirmed_by_a_code check ((confirmed_at is null) = (last_used_step is null)),
        constraint fk_totp_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create unique index uq_totp_pending on totp (account_id) where confirmed_at is null",
    "create unique index uq_totp_confirmed on totp (account_id) where confirmed_at is not null",
    """
    create table recovery_code (
        code_hash bytea not null,
        account_id uuid not null,
        made_at timestamptz not null,
        used_at timestamptz,
        constraint pk_recovery_code primary key (code_hash),
        constraint fk_recovery_code_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_recovery_code_account_id on recovery_code (account_id)",
    """
    create table passkey (
        passkey_id uuid not null,
        account_id uuid not null,
        credential_id bytea not null,
        public_key bytea not null,
        sign_count bigint not null,
        transports text[] not null,
        backup_eligible boolean not null,
        backed_up boolean not null,
        sealed_name bytea not null,
        added_at timestamptz not null,
        last_used_at timestamptz,
        suspected_at timestamptz,
        constraint pk_passkey primary key (passkey_id),
        constraint uq_passkey_credential_id unique (credential_id),
        constraint ck_passkey_backed_up check (backup_eligible or not backed_up),
        constraint fk_passkey_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_passkey_account_id on passkey (account_id)",
    """
    create table passkey_ceremony (
        ceremony_id uuid not null,
        purpose text not null,
        account_id uuid,
        challenge bytea not null,
        bound_to bytea not null,
        expires_at timestamptz not null,
        constraint pk_passkey_ceremony primary key (ceremony_id),
        constraint ck_passkey_ceremony_purpose check (purpose in ('registration', 'sign_in')),
        constraint ck_passkey_ceremony_registers_for_an_account
            check ((purpose = 'registration') = (account_id is not null)),
        constraint fk_passkey_ceremony_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_passkey_ceremony_account_id on passkey_ceremony (account_id)",
    "create index ix_passkey_ceremony_expires_at on passkey_ceremony (expires_at)",
    """
    create table federated_identity (
        federated_identity_id uuid not null,
        account_id uuid not null,
        provider text not null,
        subject_index bytea not null,
        linked_at timestamptz not null,
        last_used_at timestamptz,
        constraint pk_federated_identity primary key (federated_identity_id),
        constraint ck_federated_identity_provider check (provider in ('wechat')),
        constraint uq_federated_identity_provider_subject_index unique (provider, subject_index),
        constraint uq_federated_identity_provider_account_id unique (provider, account_id),
        constraint fk_federated_identity_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade
    )
    """,
    "create index ix_federated_identity_account_id on federated_identity (account_id)",
    """
    create table wechat_visit (
        state_hash bytea not null,
        purpose text not null,
        bound_to bytea not null,
        session_id uuid,
        parameters text not null,
        expires_at timestamptz not null,
        constraint pk_wechat_visit primary key (state_hash),
        constraint ck_wechat_visit_purpose check (purpose in ('sign_in', 'link')),
        constraint fk_wechat_visit_session_id_session foreign key (session_id)
            references session (session_id) on delete cascade
    )
    """,
    "create index ix_wechat_visit_session_id on wechat_visit (session_id)",
    "create index ix_wechat_visit_expires_at on wechat_visit (expires_at)",
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
