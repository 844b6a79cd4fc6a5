"""Versions of clients: what is proposed, decided and done about one is counted, so that nobody decides on the past."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table client add column changes integer not null default 1")


def downgrade() -> None:
    op.execute("alter table client drop column changes")
