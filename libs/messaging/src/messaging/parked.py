"""Events put aside: those that failed, those waiting behind them in their aggregate, and those of unknown type."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from database import Database, closing, count_of
from messaging import metrics
from messaging.received import Arrival
from messaging.wire import read_headers

logger = logging.getLogger(__name__)

RETRY_SECONDS = (10, 60, 600, 3600)  # after the fourth failed retry an event stays until somebody re-sends it
MAX_PAGE = 200

_ANY_HELD = "select exists (select from parked where consumer = $1 and state in ('parked', 'waiting'))"
_HELD = """
    select distinct aggregate_id from parked
    where consumer = $1 and aggregate_id = any($2::uuid[]) and state in ('parked', 'waiting')
"""
_PUT_ASIDE = """
    insert into parked (consumer, event_id, stream, type, aggregate_id, aggregate_version, subject, headers, payload,
                        reason, error, state, next_at)
    select $1, row.event_id, $2, row.type, row.aggregate_id, row.version, row.subject, row.headers::jsonb, row.payload,
           row.reason, row.error, row.state,
           case when row.state = 'parked' and row.reason = 'handler_failed' then now() + make_interval(secs => $3) end
    from unnest($4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::bytea[], $11::text[],
                $12::text[], $13::text[]) with ordinality
         as row (event_id, type, aggregate_id, version, subject, headers, payload, reason, error, state, position)
    order by row.position
    on conflict (consumer, event_id) do nothing
"""


class Aside(NamedTuple):
    """An arrival to be put aside: its state (parked, waiting, unknown), and why."""

    arrival: Arrival
    state: str
    reason: str
    error: str | None


class Parked(NamedTuple):
    """One event put aside, as an operator sees it; `next_at` is when it is tried again, if it is."""

    id: int
    consumer: str
    stream: str
    event_id: UUID
    type: str | None
    aggregate_id: UUID | None
    aggregate_version: int | None
    reason: str
    error: str | None
    state: str
    attempts: int
    next_at: datetime | None
    parked_at: datetime


async def held_aggregates(connection: asyncpg.Connection, consumer: str, aggregates: Collection[UUID]) -> set[UUID]:
    """Give those of the aggregates of which an event is parked, so that further ones wait behind it."""
    if not await connection.fetchval(_ANY_HELD, consumer):
        return set()
    records = await connection.fetch(_HELD, consumer, list(aggregates))
    return {record[0] for record in records}


async def put_aside(connection: asyncpg.Connection, consumer: str, stream: str, aside: Sequence[Aside]) -> None:
    """Store events that cannot be processed now, in order, in the transaction that marks them as received."""
    if not aside:
        return
    arrivals = [item.arrival for item in aside]
    await connection.execute(
        _PUT_ASIDE,
        consumer,
        stream,
        RETRY_SECONDS[0],
        [arrival.event_id for arrival in arrivals],
        [arrival.type for arrival in arrivals],
        [arrival.aggregate_id for arrival in arrivals],
        [arrival.version for arrival in arrivals],
        [arrival.delivery.subject.replace("\0", "?") for arrival in arrivals],
        [orjson.dumps(read_headers(arrival.delivery.headers)).decode() for arrival in arrivals],
        [arrival.delivery.payload for arrival in arrivals],
        [item.reason for item in aside],
        [item.error for item in aside],
        [item.state for item in aside],
    )
    for item in aside:
        metrics.PARKED_TOTAL.labels(consumer, item.reason).inc()
        if item.state != "waiting":
            details = {"consumer": consumer, "event_id": str(item.arrival.event_id), "reason": item.reason}
            logger.warning("event_parked", extra=details)


async def list_parked(
    database: Database, *, consumer: str | None = None, after: int = 0, limit: int = 50
) -> list[Parked]:
    """Give the events put aside with an `id` above `after`, in the order they were; at most `limit` (1 to 200)."""
    query = f"""
        select {", ".join(Parked._fields)} from parked
        where id > $1 and ($2::text is null or consumer = $2) and state <> 'discarded'
        order by id limit $3
    """  # noqa: S608 - the fields' own names
    async with closing(database.connect()) as connection:
        records = await connection.fetch(query, after, consumer, max(1, min(limit, MAX_PAGE)))
    return [Parked(*record) for record in records]


_SELECTED = """
    consumer = coalesce($1, consumer)
    and (event_id = $2 or aggregate_id = $3
         or (consumer, aggregate_id) in (select consumer, aggregate_id from parked where event_id = $2))
"""


async def resend(
    database: Database, *, event_id: UUID | None = None, aggregate_id: UUID | None = None, consumer: str | None = None
) -> int:
    """Have an event, or an aggregate's events, tried again from the oldest on, by the workers, within seconds.

    Gives how many events are concerned: those of the whole aggregate, since they go in order. Name one of `event_id`
    and `aggregate_id`; `consumer` narrows it to one reader.
    """
    if (event_id is None) == (aggregate_id is None):
        raise ValueError("name either an event or an aggregate")
    query = f"""
        update parked set attempts = 0, next_at = now(),
                          state = case state when 'waiting' then state else 'parked' end
        where {_SELECTED} and state <> 'discarded'
    """  # noqa: S608 - a constant of this module
    async with closing(database.connect()) as connection:
        return count_of(await connection.execute(query, consumer, event_id, aggregate_id))


_DISCARD = """
    with gone as (
        update parked set state = 'discarded', next_at = null
        where event_id = $1 and consumer = coalesce($2, consumer) and state <> 'discarded'
        returning consumer, aggregate_id
    ), woken as (
        update parked p set next_at = now() from gone
        where p.consumer = gone.consumer and p.aggregate_id = gone.aggregate_id and p.state = 'waiting'
          and p.event_id <> $1
    )
    select from gone
"""


async def discard(database: Database, event_id: UUID, *, consumer: str | None = None) -> int:
    """Give one event up, so that its aggregate goes on without it; the row stays as evidence. Gives how many rows."""
    async with closing(database.connect()) as connection:
        return len(await connection.fetch(_DISCARD, event_id, consumer))
