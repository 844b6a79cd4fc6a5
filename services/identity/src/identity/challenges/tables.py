"""The table of one-time codes: a code is kept as a keyed hash, the phone it went to sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Sealed, Table


class Challenge(Table):
    """A code that was sent to a phone, for one purpose; without an account nobody was told and no code is right."""

    __table_args__ = (
        CheckConstraint("tries between 0 and 5", name="tries"),
        Index("ix_challenge_open", "phone_index", "purpose", postgresql_where=text("ended_at is null")),
    )

    challenge_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id", ondelete="cascade"), index=True)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_phone: Mapped[Sealed]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    bound_to: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The hash of the browser's secret that has to come with the answer, when the code was asked for on a page."""
    tries: Mapped[int] = mapped_column(server_default="0")
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    """When it was answered rightly, or a later one took its place."""
