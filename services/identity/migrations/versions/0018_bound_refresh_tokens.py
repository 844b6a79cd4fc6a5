"""Refresh tokens that are bound to a key, and the proofs of keys that were used."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table authorization_code add column bound_to text")
    op.execute("alter table token_family add column bound_to text")
    op.execute(
        "create table used_proof (proof_hash bytea not null, expires_at timestamptz not null,"
        " constraint pk_used_proof primary key (proof_hash))"
    )
    op.execute("create index ix_used_proof_expires_at on used_proof (expires_at)")


def downgrade() -> None:
    op.execute("drop table used_proof")
    op.execute("alter table token_family drop column bound_to")
    op.execute("alter table authorization_code drop column bound_to")
