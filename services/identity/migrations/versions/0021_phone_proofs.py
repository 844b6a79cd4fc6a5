"""Proofs: an account opened for a member opens nothing until it is proven theirs, by a phone or an officer."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The accounts that there are count as proven, and those that a process of before opens meanwhile.
    op.execute("alter table account add column proven_at timestamptz default now(), add column proven_by uuid")
    # But for members whose first password is still the one that somebody else gave them, or who have none. A phone
    # there was given by somebody else as well.
    op.execute(
        "update account set proven_at = null where opened_by is not null and status <> 'erased'"
        " and exists (select from affiliation where person_id = account_id) and not exists ("
        "select from credential where credential.account_id = account.account_id and first_until is null)"
    )
    op.execute(
        "delete from identifier using account"
        " where kind = 'phone' and account.account_id = identifier.account_id and proven_at is null"
    )
    op.execute(
        """
        create table phone_proof (
            proof_id uuid not null,
            purpose text not null,
            person_id uuid,
            bound_to bytea not null,
            tries integer not null default 0,
            asked_at timestamptz not null,
            expires_at timestamptz not null,
            passed_at timestamptz,
            ended_at timestamptz,
            constraint pk_phone_proof primary key (proof_id),
            constraint ck_phone_proof_purpose check (purpose in ('first_sign_in', 'own_account')),
            constraint ck_phone_proof_tries check (tries between 0 and 5),
            constraint ck_phone_proof_passed_by_somebody check (passed_at is null or person_id is not null)
        )
        """
    )
    op.execute("create index ix_phone_proof_open on phone_proof (bound_to, purpose) where ended_at is null")
    op.execute("create index ix_phone_proof_person_id on phone_proof (person_id)")
    op.execute("create index ix_phone_proof_expires_at on phone_proof (expires_at)")


def downgrade() -> None:
    op.execute("drop table phone_proof")
    op.execute("alter table account drop column proven_by, drop column proven_at")
