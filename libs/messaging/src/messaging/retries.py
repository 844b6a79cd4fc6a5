"""Trying parked events again: when their time has come, from the oldest of an aggregate on, until one fails."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import EVENT_TYPES
from database import Database, raw
from messaging import metrics, parked
from messaging.consumer import Consumer
from messaging.failures import describe, is_passing
from messaging.inbox import in_savepoint
from messaging.received import Delivery
from messaging.spaces import LiveSpace
from messaging.versions import EPOCH

logger = logging.getLogger(__name__)

_AT_ONCE = 500  # events of one aggregate in one transaction

_REVIVE = """
    update parked set state = 'parked', next_at = now()
    where consumer = $1 and stream = $2 and state = 'unknown' and type = any($3::text[])
"""
_WAKE_HEADLESS = """
    update parked set next_at = now()
    where (consumer, id) in (
        select consumer, min(id) from parked
        where consumer = $1 and stream = $2 and state in ('parked', 'waiting') and aggregate_id is not null
        group by consumer, aggregate_id
    ) and state = 'waiting'
"""
_NEXT = """
    select consumer, stream, min(next_at) as next_at, min(next_at) <= now() as is_due
    from parked where next_at is not null and state in ('parked', 'waiting') group by consumer, stream
"""
_DUE = """
    select distinct aggregate_id, case when aggregate_id is null then event_id end
    from parked
    where consumer = $1 and stream = $2 and next_at <= now() and state in ('parked', 'waiting')
    limit 100
"""
_QUEUE = """
    select id, event_id, subject, payload, attempts, headers ->> 'Xq-Epoch' as epoch
    from parked
    where consumer = $1 and (aggregate_id = $2 or event_id = $3) and state in ('parked', 'waiting')
    order by id limit $4
    for update
"""
_FAILED = """
    update parked set state = 'parked', reason = $3, error = $4, attempts = $5,
                      next_at = now() + make_interval(secs => $6)
    where consumer = $1 and id = $2
"""
_WAIT_AGAIN = """
    update parked set next_at = null
    where consumer = $1 and aggregate_id = $2 and state = 'waiting' and next_at is not null
"""
_STILL_UNKNOWN = "update parked set state = 'unknown', next_at = null where consumer = $1 and id = $2"


async def due_in(database: Database) -> tuple[set[tuple[str, str]], datetime | None]:
    """Give the consumers, each with its stream, of whose parked events some are due, and when the next others fall due.

    One question for all of them.
    """
    async with database.look() as connection:
        rows = await connection.fetch(_NEXT)
    due = {(row["consumer"], row["stream"]) for row in rows if row["is_due"]}
    return due, min((row["next_at"] for row in rows if not row["is_due"]), default=None)


class Retries:
    """Tries one consumer's parked events of one stream again; its puller calls it between batches, never beside one."""

    def __init__(self, consumer: Consumer, database: Database, stream: str) -> None:
        self._consumer = consumer
        self._database = database
        self._stream = stream
        self._space = LiveSpace(consumer.name)

    async def begin(self) -> None:
        """Wake what became processable while nobody looked: types this code now knows, waiters without a head."""
        async with self._database.transaction() as session:
            connection = await raw(session)
            await connection.execute(_REVIVE, self._consumer.name, self._stream, _newly_handled(self._consumer))
            await connection.execute(_WAKE_HEADLESS, self._consumer.name, self._stream)

    async def run_due(self) -> int:
        """Try what is due; gives how many events were applied. Raises what is not the events' fault."""
        async with self._database.raw_transaction() as connection:
            due = await connection.fetch(_DUE, self._consumer.name, self._stream)
        applied = 0
        for aggregate_id, event_id in due:
            while (count := await self._run_queue(aggregate_id, event_id)) == _AT_ONCE:
                applied += count
            applied += count
        return applied

    async def _run_queue(self, aggregate_id: UUID | None, event_id: UUID | None) -> int:
        """Apply one aggregate's parked events in order in one transaction, up to the first that fails."""
        async with self._database.transaction() as session:
            connection = await raw(session)
            await self._space.enter(connection)
            queue = await connection.fetch(_QUEUE, self._consumer.name, aggregate_id, event_id, _AT_ONCE)
            done: list[int] = []
            for row in queue:
                if not await self._apply(session, connection, row):
                    break
                done.append(row["id"])
            await connection.execute(
                "delete from parked where consumer = $1 and id = any($2::bigint[]) and state <> 'unknown'",
                self._consumer.name,
                done,
            )
        metrics.PROCESSED.labels(self._consumer.name, self._stream).inc(len(done))
        return len(done)

    async def _apply(self, session: AsyncSession, connection: asyncpg.Connection, row: asyncpg.Record) -> bool:
        headers = f"NATS/1.0\r\n{EPOCH}: {row['epoch']}\r\n\r\n".encode() if row["epoch"] else b""
        arrival = self._consumer.reader.read(Delivery(row["subject"], row["payload"], headers))
        if arrival.reason == "unknown_type":
            await connection.execute(_STILL_UNKNOWN, self._consumer.name, row["id"])
            return True
        reason, error, failure = arrival.reason, arrival.error, None
        if arrival.received is not None:
            try:
                await in_savepoint(session, self._consumer, [arrival])
            except Exception as raised:
                if is_passing(raised):
                    raise
                reason, error, failure = "handler_failed", describe(raised), raised
        if reason is None:
            return True
        attempts = row["attempts"] + 1
        delay = parked.RETRY_SECONDS[attempts] if attempts < len(parked.RETRY_SECONDS) else None
        await connection.execute(_FAILED, self._consumer.name, row["id"], reason, error, attempts, delay)
        await connection.execute(_WAIT_AGAIN, self._consumer.name, arrival.aggregate_id)
        details = {"consumer": self._consumer.name, "event_id": str(row["event_id"]), "attempts": attempts}
        logger.warning("parked_again", extra={**details, "reason": reason}, exc_info=failure)
        return False


def _newly_handled(consumer: Consumer) -> Sequence[str]:
    """Give the handled types of which no earlier version is known: of those, the earlier told the same already."""
    result = []
    for event_type in consumer.handlers_by_type:
        stem, _, number = event_type.rpartition(".v")
        if not any(f"{stem}.v{earlier}" in EVENT_TYPES for earlier in range(1, int(number))):
            result.append(event_type)
    return result
