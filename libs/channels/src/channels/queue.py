"""The queue of messages: what is told to whom is sealed, and a row is gone once it is delivered or too late."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from channels.outcomes import Message
from database import KeyRing, Sealed, Table, associated, insert_new

NOTICE_LIFETIME = timedelta(days=3)
"""How long a notice is tried: a gateway may be away over a weekend."""


class QueuedMessage(Table):
    """A message on its way; `text` names one of the service's texts, `sealed` holds the phone and what fills it.

    The service's own table adds whom it is for. A `withheld` one is never sent: it stands where nobody is to be told,
    so that both cost the same.
    """

    __abstract__ = True

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[CheckConstraint]:
        """Give each table a check of its own."""
        return (CheckConstraint("language in ('zh', 'en')", name="language"),)

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[str]
    language: Mapped[str]
    sealed: Mapped[Sealed]
    withheld: Mapped[bool]
    attempts: Mapped[int] = mapped_column(server_default="0")
    queued_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


async def queue(
    session: AsyncSession,
    ring: KeyRing,
    table: type[QueuedMessage],
    message: Message,
    *,
    now: datetime,
    until: datetime,
    withheld: bool = False,
    **whose: Any,
) -> None:
    """Queue a message, to be dropped after `until`; one of this id that is queued already stays as it is.

    It goes out after the transaction commits, at least once; the channel tells repetitions by the id. `whose` are the
    table's own columns. `withheld` does all the same work and sends nothing.
    """
    contents = json.dumps({"phone": message.phone, "parameters": list(message.parameters)}).encode()
    row = {
        "message_id": message.message_id,
        "text": message.text,
        "language": message.language,
        "sealed": ring.wrap(contents, binding=_binding_of(table, message.message_id)),
        "withheld": withheld,
        "queued_at": now,
        "next_attempt_at": now,
        "expires_at": until,
        **whose,
    }
    await insert_new(session, table, row)


def opened(ring: KeyRing, table: type[QueuedMessage], row: Any) -> Message:
    """Open a row of the queue. Raises `SealBroken`."""
    told = json.loads(ring.unwrap(row["sealed"], binding=_binding_of(table, row["message_id"])))
    return Message(row["message_id"], told["phone"], row["text"], row["language"], told["parameters"])


def _binding_of(table: type[QueuedMessage], message_id: UUID) -> bytes:
    return associated(table.__tablename__, "sealed", message_id)
