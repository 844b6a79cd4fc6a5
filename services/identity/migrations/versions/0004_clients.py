"""Clients are registered with review and prove themselves; tokens name resources; signing keys rotate."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("client_proposal", "used_assertion", "revoked_client_token")
METHODS = "('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')"
UP = (
    """
    alter table client
        add principal_id uuid,
        add post_logout_redirect_uris text[] default '{}' not null,
        add jwks jsonb,
        add secret_hash bytea,
        add requests_per_minute integer default 60000 not null,
        add version integer default 0 not null
    """,
    "update client set principal_id = uuidv7()",
    "alter table client alter principal_id set not null, alter requests_per_minute drop default",
    "alter table client drop constraint ck_client_status, drop constraint ck_client_application_type",
    f"""
    alter table client
        add constraint uq_client_principal_id unique (principal_id),
        add constraint ck_client_status check (status in ('proposed', 'refused', 'active', 'suspended')),
        add constraint ck_client_application_type check (application_type in ('web', 'native', 'service')),
        add constraint ck_client_token_endpoint_auth_method check (token_endpoint_auth_method in {METHODS}),
        add constraint ck_client_jwks check ((jwks is not null) = (token_endpoint_auth_method = 'private_key_jwt')),
        add constraint ck_client_requests_per_minute check (requests_per_minute > 0)
    """,
    """
    create table client_proposal (
        proposal_id uuid not null,
        client_id text not null,
        terms jsonb not null,
        status text default 'pending' not null,
        proposed_by uuid not null,
        proposed_at timestamptz not null,
        decided_by uuid,
        decided_at timestamptz,
        constraint pk_client_proposal primary key (proposal_id),
        constraint ck_client_proposal_status check (status in ('pending', 'approved', 'refused', 'superseded')),
        constraint ck_client_proposal_decided_by_somebody
            check ((status in ('approved', 'refused')) = (decided_by is not null)),
        constraint ck_client_proposal_decided_at check ((decided_at is null) = (decided_by is null)),
        constraint ck_client_proposal_four_eyes check (decided_by <> proposed_by),
        constraint fk_client_proposal_client_id_client foreign key (client_id) references client (client_id)
    )
    """,
    "create index ix_client_proposal_client_id on client_proposal (client_id)",
    "create unique index uq_client_proposal_pending on client_proposal (client_id) where status = 'pending'",
    """
    create table used_assertion (
        client_id text not null,
        jti_hash bytea not null,
        expires_at timestamptz not null,
        constraint pk_used_assertion primary key (client_id, jti_hash),
        constraint fk_used_assertion_client_id_client foreign key (client_id) references client (client_id)
    )
    """,
    "create index ix_used_assertion_expires_at on used_assertion (expires_at)",
    """
    create table revoked_client_token (
        session_id uuid not null,
        expires_at timestamptz not null,
        constraint pk_revoked_client_token primary key (session_id)
    )
    """,
    "create index ix_revoked_client_token_expires_at on revoked_client_token (expires_at)",
    "alter table authorization_code add resources text[] default '{}' not null",
    "alter table token_family add resources text[] default '{}' not null",
    "alter table signing_key add activated_at timestamptz, alter sealed_private drop not null",
    "update signing_key set activated_at = made_at where state <> 'next'",
    "update signing_key set sealed_private = null where state = 'retired'",
    """
    alter table signing_key
        add constraint ck_signing_key_activated_at check ((state = 'next') = (activated_at is null)),
        add constraint ck_signing_key_retired_at check ((state = 'retired') = (retired_at is not null)),
        add constraint ck_signing_key_only_living_keys_sign check ((state = 'retired') = (sealed_private is null))
    """,
    "create unique index uq_signing_key_next on signing_key (state) where state = 'next'",
)
DOWN = (
    "drop index uq_signing_key_next",
    "delete from signing_key where state = 'retired'",
    """
    alter table signing_key
        drop constraint ck_signing_key_activated_at,
        drop constraint ck_signing_key_retired_at,
        drop constraint ck_signing_key_only_living_keys_sign,
        drop activated_at,
        alter sealed_private set not null
    """,
    "alter table token_family drop resources",
    "alter table authorization_code drop resources",
    *(f"drop table {table}" for table in reversed(TABLES)),
    """
    alter table client
        drop constraint ck_client_status,
        drop constraint ck_client_application_type,
        drop constraint ck_client_token_endpoint_auth_method,
        drop constraint ck_client_jwks,
        drop constraint ck_client_requests_per_minute
    """,
    "update client set status = 'suspended' where status in ('proposed', 'refused')",
    "update client set status = 'suspended', application_type = 'web' where application_type = 'service'",
    """
    alter table client
        drop principal_id, drop post_logout_redirect_uris, drop jwks, drop secret_hash, drop requests_per_minute,
        drop version,
        add constraint ck_client_status check (status in ('active', 'suspended')),
        add constraint ck_client_application_type check (application_type in ('web', 'native'))
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
