"""Draining the queue: each message is claimed, sent outside any transaction, and deleted once it is delivered."""

import asyncio
import json
import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from database import Database, KeyRing, SealBroken, raw, utc_now
from identity.accounts.tables import Account
from identity.messages.channels import LONGEST_SECONDS, Channel, Message, NotDelivered, Undeliverable
from identity.messages.commands import place_of
from identity.messages.tables import MessageToSend

AT_ONCE: Final = 20
CLAIMED_FOR: Final = timedelta(seconds=3 * LONGEST_SECONDS)
"""After this another worker may try: whoever claimed the message has died."""
LONGEST_DELAY: Final = timedelta(minutes=5)
_log = logging.getLogger(__name__)

_CLAIM = """
update message_to_send set attempts = attempts + 1, next_attempt_at = $1 + $2::interval
where message_id = any (array(
    select message_id from message_to_send told
    where next_attempt_at <= $1 and expires_at > $1
        and not exists (select from account where account_id = told.account_id and status = 'erased')
    order by next_attempt_at limit $3
    for update skip locked))
returning message_id, text, language, sealed, withheld, attempts
"""


class _Claimed(NamedTuple):
    """A message that this worker sends now."""

    message_id: UUID
    text: str
    language: str
    sealed: bytes
    withheld: bool
    attempts: int


class Delivery:
    """What the worker does with the queue every second; without a `channel` messages wait until they expire."""

    def __init__(self, ring: KeyRing, channel: Channel | None) -> None:
        self._ring = ring
        self._channel = channel
        if channel is None:
            _log.warning("no_message_channel")

    async def run(self, database: Database) -> None:
        """Send what is due, until nothing is, and drop what is too late."""
        await self._drop_expired(database)
        while self._channel is not None and await self._send_some(database, self._channel):
            continue

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()

    async def _drop_expired(self, database: Database) -> None:
        gone = select(Account.account_id).where(Account.account_id == MessageToSend.account_id)
        erased = gone.where(Account.status == "erased").exists()  # queued by what ran while they were erased
        expired = delete(MessageToSend).where(or_(MessageToSend.expires_at <= utc_now(), erased))
        async with database.transaction() as session:
            told = MessageToSend.message_id, MessageToSend.text, MessageToSend.withheld
            dropped = (await session.execute(expired.returning(*told))).all()
        for row in dropped:
            if not row.withheld:
                _log.warning("message_expired", extra={"message_id": row.message_id, "text": row.text})

    async def _send_some(self, database: Database, channel: Channel) -> bool:
        """Claim what is due and send it; say whether there was any."""
        async with database.transaction() as session:
            connection = await raw(session)
            claimed = await connection.fetch(_CLAIM, utc_now(), CLAIMED_FOR, AT_ONCE)
        await asyncio.gather(*(self._send(database, channel, _Claimed(*row)) for row in claimed))
        return bool(claimed)

    async def _send(self, database: Database, channel: Channel, row: _Claimed) -> None:
        extra = {"message_id": row.message_id, "text": row.text, "attempts": row.attempts}
        try:
            if not row.withheld:
                await channel.deliver(self._opened(row))
        except NotDelivered as failure:
            _log.warning("message_not_delivered", extra={**extra, "reason": str(failure)})
            await self._try_again(database, row, utc_now())
            return
        except (Undeliverable, SealBroken) as failure:
            reason = str(failure) if isinstance(failure, Undeliverable) else "seal_broken"
            _log.error("message_undeliverable", extra={**extra, "reason": reason})
        this = MessageToSend.message_id == row.message_id
        async with database.transaction() as session:
            await session.execute(delete(MessageToSend).where(this))

    async def _try_again(self, database: Database, row: _Claimed, now: datetime) -> None:
        delay = min(timedelta(seconds=2 ** min(row.attempts, 10)), LONGEST_DELAY)
        this = MessageToSend.message_id == row.message_id
        async with database.transaction() as session:
            await session.execute(update(MessageToSend).where(this).values(next_attempt_at=now + delay))

    def _opened(self, row: _Claimed) -> Message:
        told = json.loads(self._ring.unwrap(row.sealed, place=place_of(row.message_id)))
        return Message(row.message_id, told["phone"], row.text, row.language, told["parameters"])
