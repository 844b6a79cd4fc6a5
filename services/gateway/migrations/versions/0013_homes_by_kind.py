"""Homes are read by kind, in the order of when items came or of when they are due."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index ix_home_item_since on home_item (audience, kind, since, key) where open")
    op.execute(
        "create index ix_home_item_due on home_item (audience, kind, coalesce(due_at, 'infinity'), key) where open"
    )
    op.execute("drop index ix_home_item_audience_since_key")


def downgrade() -> None:
    op.execute("create index ix_home_item_audience_since_key on home_item (audience, since, key) where open")
    op.execute("drop index ix_home_item_due")
    op.execute("drop index ix_home_item_since")
