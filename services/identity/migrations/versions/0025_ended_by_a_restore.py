"""What a restore had forgotten was ended is ended again, for a reason of its own."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BEFORE = (
    "code_replayed",
    "token_replayed",
    "device_code_replayed",
    "signed_out",
    "signed_out_elsewhere",
    "signed_out_everywhere",
    "revoked_by_client",
    "revoked_by_officer",
    "consent_withdrawn",
    "deactivated",
    "recovered",
    "password_changed",
    "idle",
    "superseded",
    "erased",
    "assistance_ended",
    "phone_replaced",
)


def _allow(reasons: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{reason}'" for reason in reasons)
    op.execute("alter table token_family drop constraint ck_token_family_revoked_for")
    op.execute(f"alter table token_family add constraint ck_token_family_revoked_for check (revoked_for in ({listed}))")


def upgrade() -> None:
    _allow((*BEFORE, "restored"))


def downgrade() -> None:
    op.execute("update token_family set revoked_for = 'signed_out' where revoked_for = 'restored'")
    _allow(BEFORE)
