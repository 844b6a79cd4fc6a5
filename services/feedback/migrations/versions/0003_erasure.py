"""What exporting and erasing a person's data needs."""

from alembic import op

from privacy import migrations as privacy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    privacy.create_v1(op)
    # Destroyed with the person who brought the case: then nobody reads what was said in it.
    op.execute("alter table feedback_case alter column data_key drop not null")


def downgrade() -> None:
    op.execute("alter table feedback_case alter column data_key set not null")
    privacy.drop_v1(op)
