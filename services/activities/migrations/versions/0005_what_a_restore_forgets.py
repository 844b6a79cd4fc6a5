"""How far each consumer has read, and what the stream tells that a restored database forgot."""

from alembic import op

from messaging import migrations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
PHASE = "expand"
OLDEST_CODE = "0005"  # code of before asks for exactly its own revision


def upgrade() -> None:
    migrations.create_v2(op)


def downgrade() -> None:
    migrations.drop_v2(op)
