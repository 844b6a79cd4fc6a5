"""First passwords: what an account was opened with works for two weeks, until its owner chooses another."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table credential add column first_until timestamptz")
    # Set when the account was opened and never since: it is still the one that somebody else chose.
    op.execute(
        "update credential set first_until = now() + interval '14 days' from account"
        " where account.account_id = credential.account_id and credential.set_at = account.opened_at"
    )


def downgrade() -> None:
    op.execute("alter table credential drop column first_until")
