"""Which known browsers took more than the password."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table known_browser add column beyond_password boolean not null default false")


def downgrade() -> None:
    op.execute("alter table known_browser drop column beyond_password")
