"""How often a person lately did what reaches others."""

from alembic import op

from webapi import migrations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migrations.create_reach_v1(op)


def downgrade() -> None:
    migrations.drop_reach_v1(op)
