"""Sessions that can be listed and revoked: why they were, on which kind of device, and what was told of an account."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE = (
    "code_replayed",
    "token_replayed",
    "signed_out",
    "device_code_replayed",
    "idle",
    "superseded",
    "consent_withdrawn",
)
ADDED = (
    "signed_out_elsewhere",
    "signed_out_everywhere",
    "revoked_by_client",
    "revoked_by_officer",
    "deactivated",
    "recovered",
    "password_changed",
    "erased",
    "assistance_ended",
)


def _allow(reasons: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    op.execute("alter table token_family drop constraint ck_token_family_revoked_for")
    op.execute(f"alter table token_family add constraint ck_token_family_revoked_for check (revoked_for in ({listed}))")


def upgrade() -> None:
    _allow(BEFORE + ADDED)
    op.execute("alter table account add column authorization_changes integer not null default 0")
    op.execute("alter table account add column authorization_changed_at timestamptz")
    op.execute("alter table session add column device text")
    op.execute("alter table token_family add column device text")


def downgrade() -> None:
    op.execute("alter table token_family drop column device")
    op.execute("alter table session drop column device")
    op.execute("alter table account drop column authorization_changed_at")
    op.execute("alter table account drop column authorization_changes")
    kept = ", ".join(f"'{reason}'" for reason in BEFORE)
    op.execute(f"update token_family set revoked_for = 'signed_out' where revoked_for not in ({kept})")  # noqa: S608
    _allow(BEFORE)
