"""From when on the phone on a file proves who its person is."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Where it is null, it is read from the versions there are: `members.files.phones`.
    op.execute("alter table member_version add column phone_proves_from timestamptz")


def downgrade() -> None:
    op.execute("alter table member_version drop column phone_proves_from")
