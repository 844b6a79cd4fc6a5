"""The queue of messages: what is told to whom is sealed, and a row is gone once it is delivered or too late."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from database import Sealed, Table


class MessageToSend(Table):
    """A message on its way; `text` names one of `texts.toml`, `sealed` holds the phone number and what fills it.

    A `withheld` one is never sent. It stands where nobody is to be told, so that both cost the same.
    """

    __table_args__ = (CheckConstraint("language in ('zh', 'en')", name="language"),)

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.account_id"), index=True)
    """Whom it is to reach; without one it outlives them, as the word that they are erased does."""
    text: Mapped[str]
    language: Mapped[str]
    sealed: Mapped[Sealed]
    withheld: Mapped[bool]
    attempts: Mapped[int] = mapped_column(server_default="0")
    queued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
