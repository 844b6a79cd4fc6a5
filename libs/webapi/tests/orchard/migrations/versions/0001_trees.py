"""Trees, and the answers of idempotent commands."""

from alembic import op

from webapi import migrations

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("create table tree (tree_id uuid primary key, kind text not null, planted_at timestamptz not null)")
    migrations.create_v1(op)


def downgrade() -> None:
    migrations.drop_v1(op)
    op.execute("drop table tree")
