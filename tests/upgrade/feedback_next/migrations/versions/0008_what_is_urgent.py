"""That a case is urgent."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
PHASE = "expand"
OLDEST_CODE = "0007"


def upgrade() -> None:
    op.execute("alter table feedback_case add column urgent boolean")


def downgrade() -> None:
    op.execute("alter table feedback_case drop column urgent")
