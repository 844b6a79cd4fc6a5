"""The device code: a device's request to be signed in, what the person decided, and the tombstone it leaves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from database import KeyRing, Table


class DeviceCode(Table):
    """One request of a device; its own code is kept as SHA-256, the one to type as a keyed hash.

    Answers what authlib asks of such a row.
    """

    __tablename__ = "device_code"
    __table_args__ = (
        CheckConstraint("decision in ('approved', 'denied')", name="decision"),
        CheckConstraint(
            "(decision = 'approved') is not true or num_nulls(account_id, acr, amr, signed_in_at) = 0",
            name="approved_by_somebody",
        ),
        CheckConstraint("used_at is null or (decision = 'approved') is true", name="used_when_approved"),
    )

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """What the person types, which can be guessed: a keyed hash, and gone once they have decided."""
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    scope: Mapped[str]
    place: Mapped[str | None]
    """Where the device says that it stands."""
    terminal_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Which of a client's shared terminals this is."""
    interval_seconds: Mapped[int]
    """How long the device waits between two questions; grows whenever it does not."""
    polled_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"))
    acr: Mapped[str | None]
    amr: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    signed_in_at: Mapped[datetime | None]
    family_id: Mapped[UUID]
    """The family of tokens this code gives when it is redeemed."""
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    @property
    def session_id(self) -> UUID:
        """Give the session the tokens belong to: one of the device's own, never that of the browser that approved."""
        return self.family_id

    @property
    def resources(self) -> list[str]:
        """Give none: a device's tokens are for the API of all services."""
        return []

    def get_scope(self) -> str:
        """Give the scopes the code stands for, separated by spaces."""
        return self.scope

    def get_nonce(self) -> None:
        """Give none: a device brings no nonce."""

    def get_auth_time(self) -> int | None:
        """Give the second in which the person proved who they are."""
        return int(self.signed_in_at.timestamp()) if self.signed_in_at else None

    def get_acr(self) -> str | None:
        """Give how strongly they proved it."""
        return self.acr

    def get_amr(self) -> list[str] | None:
        """Give the ways in which they proved it (RFC 8176)."""
        return self.amr


def hash_of_user_code(ring: KeyRing, user_code: str) -> bytes:
    """Give the form in which a code to type is kept: without the key, 35 bits would be guessed in a moment."""
    return ring.blind_index("device_code.user_code_hash", user_code)
