"""The audit, which the superuser made in this database: this service records in it and cannot change it."""

from alembic import op

import audit

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    audit.require_v1(op)


def downgrade() -> None:
    """Leave it: what was recorded stays."""
