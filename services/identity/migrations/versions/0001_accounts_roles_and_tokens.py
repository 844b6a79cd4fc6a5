"""Accounts with names and credentials, roles and who holds them, sessions, clients, codes, tokens, signing keys."""

from alembic import op

from messaging import migrations as messaging
from orgtree import migrations as orgtree
from webapi import migrations as webapi

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "account",
    "client",
    "role_definition",
    "signing_key",
    "authorization_code",
    "credential",
    "identifier",
    "role_assignment",
    "session",
    "token_family",
    "refresh_token",
)

CREATE = (
    """
    create table account (
        account_id uuid not null,
        status text default 'active' not null,
        authorization_version integer default '1' not null,
        organisation_id uuid not null,
        opened_at timestamptz not null,
        opened_by uuid,
        constraint pk_account primary key (account_id),
        constraint ck_account_status check (status in ('active', 'deactivated'))
    )
    """,
    """
    create table client (
        client_id text not null,
        status text default 'active' not null,
        name_zh text not null,
        name_en text not null,
        application_type text not null,
        token_endpoint_auth_method text default 'none' not null,
        redirect_uris text[] not null,
        grant_types text[] not null,
        scopes text[] not null,
        registered_at timestamptz not null,
        constraint pk_client primary key (client_id),
        constraint ck_client_status check (status in ('active', 'suspended')),
        constraint ck_client_application_type check (application_type in ('web', 'native'))
    )
    """,
    """
    create table role_definition (
        role_id uuid not null,
        role text not null,
        title_zh text not null,
        title_en text not null,
        permissions text[] not null,
        version integer not null,
        defined_at timestamptz not null,
        constraint pk_role_definition primary key (role_id),
        constraint uq_role_definition_role unique (role)
    )
    """,
    """
    create table signing_key (
        kid text not null,
        state text not null,
        public_jwk jsonb not null,
        sealed_private bytea not null,
        made_at timestamptz not null,
        retired_at timestamptz,
        constraint pk_signing_key primary key (kid),
        constraint ck_signing_key_state check (state in ('next', 'active', 'retired'))
    )
    """,
    "create unique index uq_signing_key_active on signing_key (state) where state = 'active'",
    """
    create table authorization_code (
        code_hash bytea not null,
        client_id text not null,
        account_id uuid not null,
        session_id uuid not null,
        family_id uuid not null,
        redirect_uri text not null,
        scope text not null,
        nonce text,
        code_challenge text not null,
        acr text not null,
        signed_in_at timestamptz not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        constraint pk_authorization_code primary key (code_hash),
        constraint fk_authorization_code_client_id_client foreign key (client_id) references client (client_id),
        constraint fk_authorization_code_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_authorization_code_expires_at on authorization_code (expires_at)",
    """
    create table credential (
        credential_id uuid not null,
        account_id uuid not null,
        kind text not null,
        secret text not null,
        set_at timestamptz not null,
        constraint pk_credential primary key (credential_id),
        constraint ck_credential_kind check (kind in ('password')),
        constraint fk_credential_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_credential_account_id on credential (account_id)",
    "create unique index uq_credential_password on credential (account_id) where kind = 'password'",
    """
    create table identifier (
        identifier_id uuid not null,
        account_id uuid not null,
        kind text not null,
        plain text,
        blind_index bytea,
        sealed bytea,
        added_at timestamptz not null,
        constraint pk_identifier primary key (identifier_id),
        constraint ck_identifier_kind check (kind in ('username', 'phone')),
        constraint ck_identifier_plain_or_sealed check (num_nonnulls(plain, blind_index) = 1),
        constraint ck_identifier_sealed_with_index check ((blind_index is null) = (sealed is null)),
        constraint ck_identifier_only_usernames_are_plain check ((kind = 'username') = (plain is not null)),
        constraint fk_identifier_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_identifier_account_id on identifier (account_id)",
    "create unique index uq_identifier_kind_blind_index on identifier (kind, blind_index)",
    "create unique index uq_identifier_kind_plain on identifier (kind, plain)",
    """
    create table role_assignment (
        assignment_id uuid not null,
        person_id uuid not null,
        role text not null,
        organisation_id uuid not null,
        valid_from date not null,
        valid_until date,
        granted_by uuid,
        granted_at timestamptz not null,
        ended_by uuid,
        ended_at timestamptz,
        version integer default '1' not null,
        constraint pk_role_assignment primary key (assignment_id),
        constraint ck_role_assignment_days_in_order check (valid_until >= valid_from),
        constraint ck_role_assignment_version_counts_the_ending check ((ended_at is null) = (version = 1)),
        constraint fk_role_assignment_person_id_account foreign key (person_id) references account (account_id),
        constraint fk_role_assignment_role_role_definition foreign key (role) references role_definition (role)
    )
    """,
    "create index ix_role_assignment_organisation_id on role_assignment (organisation_id)",
    "create index ix_role_assignment_person_id on role_assignment (person_id)",
    """
    create table session (
        session_id uuid not null,
        cookie_hash bytea not null,
        account_id uuid not null,
        acr text not null,
        signed_in_at timestamptz not null,
        expires_at timestamptz not null,
        ended_at timestamptz,
        constraint pk_session primary key (session_id),
        constraint uq_session_cookie_hash unique (cookie_hash),
        constraint fk_session_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_session_account_id on session (account_id)",
    "create index ix_session_expires_at on session (expires_at)",
    """
    create table token_family (
        family_id uuid not null,
        client_id text not null,
        account_id uuid not null,
        session_id uuid not null,
        scope text not null,
        acr text not null,
        signed_in_at timestamptz not null,
        expires_at timestamptz not null,
        revoked_at timestamptz,
        revoked_for text,
        constraint pk_token_family primary key (family_id),
        constraint ck_token_family_revoked_for_a_reason check ((revoked_at is null) = (revoked_for is null)),
        constraint ck_token_family_revoked_for check (revoked_for in ('code_replayed', 'token_replayed', 'signed_out')),
        constraint fk_token_family_client_id_client foreign key (client_id) references client (client_id),
        constraint fk_token_family_account_id_account foreign key (account_id) references account (account_id)
    )
    """,
    "create index ix_token_family_account_id on token_family (account_id)",
    "create index ix_token_family_expires_at on token_family (expires_at)",
    "create index ix_token_family_session_id on token_family (session_id)",
    """
    create table refresh_token (
        token_hash bytea not null,
        family_id uuid not null,
        parent_hash bytea,
        issued_at timestamptz not null,
        used_at timestamptz,
        constraint pk_refresh_token primary key (token_hash),
        constraint fk_refresh_token_family_id_token_family foreign key (family_id)
            references token_family (family_id) on delete cascade
    )
    """,
    "create index ix_refresh_token_family_id on refresh_token (family_id)",
)


def upgrade() -> None:
    messaging.create_v1(op)
    orgtree.create_v1(op)
    webapi.create_v1(op)
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
    webapi.drop_v1(op)
    orgtree.drop_v1(op)
    messaging.drop_v1(op)
