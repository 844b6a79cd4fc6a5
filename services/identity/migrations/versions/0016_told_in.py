"""In which form each client was told of last."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table client add column told_in smallint not null default 0")


def downgrade() -> None:
    op.execute("alter table client drop column told_in")
