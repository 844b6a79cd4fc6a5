"""Devices that sign in by a code, terminals that many people share, and what people let clients have."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REASONS = "'code_replayed', 'token_replayed', 'signed_out'"

CREATE = (
    "alter table client drop constraint ck_client_application_type",
    """
    alter table client add constraint ck_client_application_type
        check (application_type in ('web', 'native', 'service', 'terminal'))
    """,
    "alter table token_family drop constraint ck_token_family_revoked_for",
    f"""
    alter table token_family add constraint ck_token_family_revoked_for
        check (revoked_for in ({REASONS}, 'device_code_replayed', 'idle', 'superseded', 'consent_withdrawn'))
    """,
    "alter table client add column first_party boolean not null default false",
    "update client set first_party = true where client_id in ('docs', 'command-line')",
    """
    alter table client add constraint ck_client_terminals_sign_in_by_device_code
        check (application_type <> 'terminal' or not ('authorization_code' = any (grant_types)))
    """,
    "alter table token_family add column idle_until timestamptz",
    "alter table token_family add column terminal_hash bytea",
    """
    create unique index uq_token_family_at_terminal on token_family (client_id, terminal_hash)
        where terminal_hash is not null and revoked_at is null
    """,
    """
    create table device_code (
        code_hash bytea not null,
        user_code_hash bytea,
        client_id text not null,
        scope text not null,
        place text,
        terminal_hash bytea,
        interval_seconds integer not null,
        polled_at timestamptz,
        decision text,
        account_id uuid,
        acr text,
        amr text[],
        signed_in_at timestamptz,
        family_id uuid not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        constraint pk_device_code primary key (code_hash),
        constraint uq_device_code_user_code_hash unique (user_code_hash),
        constraint ck_device_code_decision check (decision in ('approved', 'denied')),
        constraint ck_device_code_approved_by_somebody check (
            (decision = 'approved') is not true or num_nulls(account_id, acr, amr, signed_in_at) = 0
        ),
        constraint ck_device_code_used_when_approved check (used_at is null or (decision = 'approved') is true),
        constraint fk_device_code_client_id_client foreign key (client_id) references client (client_id),
        constraint fk_device_code_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_device_code_expires_at on device_code (expires_at)",
    """
    create table client_consent (
        account_id uuid not null,
        client_id text not null,
        scopes text[] not null,
        granted_at timestamptz not null,
        withdrawn_at timestamptz,
        constraint pk_client_consent primary key (account_id, client_id),
        constraint fk_client_consent_account_id_account foreign key (account_id) references account (account_id),
        constraint fk_client_consent_client_id_client foreign key (client_id) references client (client_id)
    )
    """,
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table client_consent")
    op.execute("drop table device_code")
    op.execute("drop index uq_token_family_at_terminal")
    op.execute("alter table token_family drop column terminal_hash")
    op.execute("alter table token_family drop column idle_until")
    op.execute("alter table client drop constraint ck_client_terminals_sign_in_by_device_code")
    op.execute("alter table client drop column first_party")
    op.execute("alter table token_family drop constraint ck_token_family_revoked_for")
    op.execute(f"update token_family set revoked_for = 'signed_out' where revoked_for not in ({REASONS})")  # noqa: S608
    op.execute(
        f"alter table token_family add constraint ck_token_family_revoked_for check (revoked_for in ({REASONS}))"
    )
    op.execute("alter table client drop constraint ck_client_application_type")
    op.execute(
        "update client set application_type = 'native', status = 'suspended' where application_type = 'terminal'"
    )
    op.execute(
        "alter table client add constraint ck_client_application_type "
        "check (application_type in ('web', 'native', 'service'))"
    )
