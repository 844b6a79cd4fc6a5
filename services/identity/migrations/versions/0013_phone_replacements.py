"""Replacements of a lost phone on file, by two officers and a day."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BEFORE = (
    "code_replayed",
    "token_replayed",
    "signed_out",
    "device_code_replayed",
    "idle",
    "superseded",
    "consent_withdrawn",
    "signed_out_elsewhere",
    "signed_out_everywhere",
    "revoked_by_client",
    "revoked_by_officer",
    "deactivated",
    "recovered",
    "password_changed",
    "erased",
    "assistance_ended",
)
CREATE = (
    """
    create table phone_replacement (
        replacement_id uuid not null,
        account_id uuid not null,
        organisation_id uuid not null,
        status text not null,
        sealed_phone bytea,
        challenge_id uuid not null,
        proposed_by uuid not null,
        proposed_at timestamptz not null,
        confirmed_at timestamptz,
        approved_by uuid,
        approved_at timestamptz,
        ready_at timestamptz,
        objected_at timestamptz,
        completed_at timestamptz,
        expires_at timestamptz not null,
        constraint pk_phone_replacement primary key (replacement_id),
        constraint fk_phone_replacement_account_id_account foreign key (account_id)
            references account (account_id) on delete cascade,
        constraint ck_phone_replacement_status
            check (status in ('proposed', 'confirmed', 'approved', 'objected', 'completed', 'lapsed')),
        constraint ck_phone_replacement_two_officers check (approved_by <> proposed_by),
        constraint ck_phone_replacement_of_somebody_else check (account_id not in (proposed_by, approved_by)),
        constraint ck_phone_replacement_number_while_open
            check ((sealed_phone is not null) = (status in ('proposed', 'confirmed', 'approved'))),
        constraint ck_phone_replacement_confirmed_first
            check (confirmed_at is not null
                or (status not in ('confirmed', 'approved', 'completed') and approved_at is null)),
        constraint ck_phone_replacement_approved
            check (num_nonnulls(approved_by, approved_at, ready_at) in (0, 3)
                and (approved_at is not null or status not in ('approved', 'completed'))),
        constraint ck_phone_replacement_objected check ((objected_at is null) = (status <> 'objected')),
        constraint ck_phone_replacement_completed check ((completed_at is null) = (status <> 'completed'))
    )
    """,
    "create index ix_phone_replacement_account_id on phone_replacement (account_id)",
    "create index ix_phone_replacement_organisation_id on phone_replacement (organisation_id)",
    "create index ix_phone_replacement_expires_at on phone_replacement (expires_at)",
    """
    create unique index uq_phone_replacement_open on phone_replacement (account_id)
    where status in ('proposed', 'confirmed', 'approved')
    """,
)


def _allow(reasons: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    op.execute("alter table token_family drop constraint ck_token_family_revoked_for")
    op.execute(f"alter table token_family add constraint ck_token_family_revoked_for check (revoked_for in ({listed}))")


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)
    _allow((*BEFORE, "phone_replaced"))


def downgrade() -> None:
    op.execute("update token_family set revoked_for = 'recovered' where revoked_for = 'phone_replaced'")
    _allow(BEFORE)
    op.execute("drop table phone_replacement")
