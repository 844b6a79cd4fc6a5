"""Draining the queue: each message is claimed, sent outside any transaction, and deleted once it is delivered."""

import json
import logging
from datetime import timedelta
from functools import partial
from typing import Final

import asyncpg

from background import Due, TryAgain
from database import Database, KeyRing, SealBroken, utc_now
from identity.messages.channels import LONGEST_SECONDS, Message, NotDelivered, TencentSms, Undeliverable
from identity.messages.commands import binding_of

AT_ONCE: Final = 20
CLAIMED_FOR: Final = timedelta(seconds=3 * LONGEST_SECONDS)
"""After this another worker may try: whoever claimed the message has died."""
LONGEST_DELAY: Final = timedelta(minutes=5)
_log = logging.getLogger(__name__)

_WAITING = """
expires_at > $1 and not exists (select from account where account_id = due.account_id and status = 'erased')
"""
_DROP_EXPIRED = """
delete from message_to_send told
where expires_at <= $1
    or exists (select from account where account_id = told.account_id and status = 'erased')
returning message_id, text, withheld
"""


class Delivery:
    """What the worker does with the queue every second; without a `channel` messages wait until they expire."""

    def __init__(self, ring: KeyRing, channel: TencentSms | None, *, at_once: int = AT_ONCE) -> None:
        self._ring = ring
        self._channel = channel
        self._due = Due(
            "message_to_send",
            key="message_id",
            at="next_attempt_at",
            waiting=_WAITING,
            claim_for=CLAIMED_FOR,
            backoff=lambda attempts: min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_DELAY),
            at_once=at_once,
        )
        if channel is None:
            _log.warning("no_message_channel")

    async def run(self, database: Database) -> None:
        """Send what is due, until nothing is, and drop what is too late."""
        async with database.look() as connection:
            if not await connection.fetchval("select exists (select from message_to_send)"):
                return
        await self._drop_expired(database)
        if self._channel is not None:
            await self._due.work_off(database, partial(self._send, database, self._channel))

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()

    async def _drop_expired(self, database: Database) -> None:
        """Drop what is out of time, and what was queued for people while they were erased."""
        async with database.raw_transaction() as connection:
            dropped = await connection.fetch(_DROP_EXPIRED, utc_now())
        for row in dropped:
            if not row["withheld"]:
                _log.warning("message_expired", extra={"message_id": row["message_id"], "text": row["text"]})

    async def _send(self, database: Database, channel: TencentSms, row: asyncpg.Record) -> None:
        extra = {"message_id": row["message_id"], "text": row["text"], "attempts": row["attempts"]}
        try:
            if not row["withheld"]:
                await channel.deliver(self._opened(row))
        except NotDelivered as failure:
            _log.warning("message_not_delivered", extra={**extra, "reason": str(failure)})
            raise TryAgain from failure
        except (Undeliverable, SealBroken) as failure:
            reason = str(failure) if isinstance(failure, Undeliverable) else "seal_broken"
            _log.error("message_undeliverable", extra={**extra, "reason": reason})
        async with database.raw_transaction() as connection:
            await connection.execute("delete from message_to_send where message_id = $1", row["message_id"])

    def _opened(self, row: asyncpg.Record) -> Message:
        told = json.loads(self._ring.unwrap(row["sealed"], binding=binding_of(row["message_id"])))
        return Message(row["message_id"], told["phone"], row["text"], row["language"], told["parameters"])
