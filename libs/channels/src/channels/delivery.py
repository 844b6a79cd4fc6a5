"""Draining the queue: each message is claimed, sent outside any transaction, and deleted once it is delivered."""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import asyncpg

from background import Due, TryAgain
from channels.outcomes import Channel, NotTaken, Refused
from channels.queue import QueuedMessage, opened
from channels.sms import LONGEST_SECONDS
from database import Database, KeyRing, SealBroken, utc_now

AT_ONCE: Final = 20
CLAIMED_FOR: Final = timedelta(seconds=3 * LONGEST_SECONDS)
"""After this another worker may try: whoever claimed the message has died."""
LONGEST_DELAY: Final = timedelta(minutes=5)
_log = logging.getLogger(__name__)

_ANY: Final = "select exists (select from {table})"
_DROP: Final = "delete from {table} due where expires_at <= $1 or {moot} returning message_id, text, withheld"
_DONE: Final = "delete from {table} where message_id = $1"


class Delivery:
    """What the worker does with the queue `table` every second; without a `channel` messages wait until they expire.

    `moot` is a condition in SQL on the row, named `due`, under which it is dropped unsent.
    """

    def __init__(
        self,
        ring: KeyRing,
        channel: Channel | None,
        table: type[QueuedMessage],
        *,
        moot: str = "false",
        at_once: int = AT_ONCE,
    ) -> None:
        self._ring = ring
        self._channel = channel
        self._table = table
        name = table.__tablename__
        self._any, self._done = _ANY.format(table=name), _DONE.format(table=name)
        self._drop = _DROP.format(table=name, moot=moot)
        self._due = Due(
            name,
            key="message_id",
            at="next_attempt_at",
            waiting=f"expires_at > $1 and not {moot}",
            claim_for=CLAIMED_FOR,
            backoff=lambda attempts: min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_DELAY),
            at_once=at_once,
        )
        if channel is None:
            _log.warning("no_message_channel")

    async def run(self, database: Database) -> datetime | None:
        """Send what is due, until nothing is, and drop what is too late; gives when a message is due again."""
        async with database.look() as connection:
            if not await connection.fetchval(self._any):
                return None
        await self._drop_expired(database)
        if self._channel is None:
            return None
        return await self._due.work_off(database, partial(self._send, database, self._channel))

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()

    async def _drop_expired(self, database: Database) -> None:
        """Drop what is out of time or moot."""
        async with database.raw_transaction() as connection:
            dropped = await connection.fetch(self._drop, utc_now())
        for row in dropped:
            if not row["withheld"]:
                _log.warning("message_expired", extra={"message_id": row["message_id"], "text": row["text"]})

    async def _send(self, database: Database, channel: Channel, row: asyncpg.Record) -> None:
        extra = {"message_id": row["message_id"], "text": row["text"], "attempts": row["attempts"]}
        try:
            outcome = None if row["withheld"] else await channel.deliver(opened(self._ring, self._table, row))
        except SealBroken:
            outcome = Refused("seal_broken")
        if isinstance(outcome, NotTaken):
            _log.warning("message_not_delivered", extra={**extra, "reason": outcome.reason})
            raise TryAgain
        if isinstance(outcome, Refused):
            _log.error("message_undeliverable", extra={**extra, "reason": outcome.reason})
        async with database.raw_transaction() as connection:
            await connection.execute(self._done, row["message_id"])
