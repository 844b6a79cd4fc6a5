"""Tables of passkeys, and of the ceremonies that are under way: one challenge, used once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import Sealed, Table


class Passkey(Table):
    """A public key whose private half a person's device holds; the name they gave it is sealed."""

    __tablename__ = "passkey"
    __table_args__ = (CheckConstraint("backup_eligible or not backed_up", name="backed_up"),)

    passkey_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    backup_eligible: Mapped[bool]
    """Whether the device may copy the key to others (a synced passkey)."""
    backed_up: Mapped[bool]
    sealed_name: Mapped[Sealed]
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    suspected_at: Mapped[datetime | None]
    """When its counter went backwards, as that of a copy would: it signs nobody in any more."""


class PasskeyCeremony(Table):
    """A challenge a browser was given, for one registration or one sign-in, bound to who asked for it."""

    __tablename__ = "passkey_ceremony"
    __table_args__ = (
        CheckConstraint("purpose in ('registration', 'sign_in')", name="purpose"),
        CheckConstraint("(purpose = 'registration') = (account_id is not null)", name="registers_for_an_account"),
    )

    ceremony_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    bound_to: Mapped[bytes] = mapped_column(LargeBinary)
    """The hash of the browser's form cookie, or of the session whose token asked."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
