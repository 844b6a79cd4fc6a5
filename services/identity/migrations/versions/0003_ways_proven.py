"""How a person proved who they are, kept with what came of it."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("session", "authorization_code", "token_family"):
        op.execute(f"alter table {table} add column amr text[] not null default '{{pwd}}'")
        op.execute(f"alter table {table} alter column amr drop default")


def downgrade() -> None:
    for table in ("session", "authorization_code", "token_family"):
        op.execute(f"alter table {table} drop column amr")
