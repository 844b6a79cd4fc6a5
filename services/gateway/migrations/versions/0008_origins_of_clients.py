"""Whose pages may use a client's tokens; none until identity has told of it again."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table client_quota add column origins text[] not null default '{}'")


def downgrade() -> None:
    op.execute("alter table client_quota drop column origins")
