"""The people behind the counts, and whom each contribution is about."""

from alembic import op

from orgtree import migrations as orgtree

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    orgtree.create_v2(op)
    # What was contributed before is about nobody, and so hidden, until `rebuild-overview` has read the streams again.
    op.execute("alter table contribution add column person bigint")
    op.execute("create index ix_contribution_person on contribution (person) where person is not null")


def downgrade() -> None:
    op.execute("alter table contribution drop column person")
    orgtree.drop_v2(op)
