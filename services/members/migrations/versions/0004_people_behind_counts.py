"""The people behind the counts."""

from alembic import op

from orgtree import migrations as orgtree

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    orgtree.create_v2(op)


def downgrade() -> None:
    orgtree.drop_v2(op)
