"""Until when a password that a code to the phone alone has set proves no more than that phone."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # How those of before were set is not known: they stay what they were.
    op.execute("alter table credential add column phone_alone_until timestamptz")


def downgrade() -> None:
    op.execute("alter table credential drop column phone_alone_until")
