"""What exporting and erasing a person's data needs."""

from alembic import op

from privacy import migrations as privacy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    privacy.create_v1(op)
    # Blind indexes tell nothing any more once a person is erased, and two of the erased share no number.
    op.execute("alter table member alter column id_number_index drop not null")


def downgrade() -> None:
    op.execute("alter table member alter column id_number_index set not null")
    privacy.drop_v1(op)
