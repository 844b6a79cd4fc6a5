"""When a learner said the word on a lesson that stands: one that comes late is known by it."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table lesson_study add column said_at timestamptz")


def downgrade() -> None:
    op.execute("alter table lesson_study drop column said_at")
