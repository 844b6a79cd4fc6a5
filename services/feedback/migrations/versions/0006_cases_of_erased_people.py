"""Cases of people who were erased before name them no more."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("update feedback_case set reporter_id = null where data_key is null")


def downgrade() -> None:
    pass
