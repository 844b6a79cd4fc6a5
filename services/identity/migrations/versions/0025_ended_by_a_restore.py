"""What a restore had forgotten was ended is ended again, for a reason of its own."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
PHASE = "expand"
OLDEST_CODE = "0024"

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
    op.execute("alter table token_family drop constraint if exists ck_token_family_revoked_for")
    check = f"check (revoked_for in ({listed}))"
    op.execute(f"alter table token_family add constraint ck_token_family_revoked_for {check} not valid")


def upgrade() -> None:
    _allow((*BEFORE, "restored"))
    with op.get_context().autocommit_block():  # nobody waits while every row is looked at
        op.execute("alter table token_family validate constraint ck_token_family_revoked_for")


def downgrade() -> None:
    op.execute("update token_family set revoked_for = 'signed_out' where revoked_for = 'restored'")
    _allow(BEFORE)
    op.execute("alter table token_family validate constraint ck_token_family_revoked_for")
