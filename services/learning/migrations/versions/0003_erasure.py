"""What exporting and erasing a person's data needs."""

from alembic import op

from privacy import migrations as privacy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    privacy.create_v1(op)


def downgrade() -> None:
    privacy.drop_v1(op)
