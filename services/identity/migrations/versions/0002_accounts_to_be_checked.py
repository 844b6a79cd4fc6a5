"""Accounts opened for somebody whose affiliation is not known yet, to be checked when it is."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table account add column opened_within uuid[]")
    op.execute("create index ix_account_unchecked on account (account_id) where opened_within is not null")


def downgrade() -> None:
    op.execute("drop index ix_account_unchecked")
    op.execute("alter table account drop column opened_within")
