"""The outbox: what a command publishes is written in the command's own transaction, and shipped by the relay."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson
from opentelemetry import trace
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, Origin
from database import Closing, Database, closing, count_of, new_id, utc_now, write_last
from messaging.streams import partition_of, subject_of

logger = logging.getLogger(__name__)

_NO_ORIGIN = Origin()
MAX_PAYLOAD_BYTES = 512 * 1024  # half of what NATS carries by default

_COLUMNS = "epoch, shard, event_id, type, subject, aggregate_id, aggregate_version, payload, traceparent"
_APPEND = Closing(
    f"""
    insert into outbox ({_COLUMNS})
    select state.epoch, $1::smallint % state.shards, $2::uuid, $3::text, $4::text, $5::uuid, $6::bigint, $7::bytea,
           $8::text
    from outbox_state state
    """,  # noqa: S608 - a constant of this module
    f"""
    insert into outbox ({_COLUMNS})
    select state.epoch, row.spread % state.shards, row.event_id, row.type, row.subject, row.aggregate_id, row.version,
           row.payload, row.traceparent
    from outbox_state state,
         unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::bytea[], $8::text[])
             with ordinality as row
             (spread, event_id, type, subject, aggregate_id, version, payload, traceparent, position)
    order by row.position
    """,  # noqa: S608 - as above
)


class Publication(NamedTuple):
    """An event and its aggregate's version after it: 1, 2, 3 ... without a gap.

    `origin` is for an event written together with those of other requests; otherwise it comes from `append`.
    """

    event: Event
    version: int
    origin: Origin | None = None


class EventTooLarge(Exception):
    """An event is larger than the broker carries; its command must fail, since the relay could never ship it."""


async def append(
    session: AsyncSession | asyncpg.Connection, publications: Sequence[Publication], *, actor: UUID | None = None
) -> None:
    """Write events to the outbox in the transaction of a session, at its end, or of a `raw_transaction`, in order.

    `actor` is the account that acted. The trace goes on from the current OpenTelemetry span. Raises `EventTooLarge`
    above 512 KiB.
    """
    if not publications:
        return
    is_told = all(publication.origin for publication in publications)
    here = _NO_ORIGIN if is_told else origin(actor=actor)
    now = utc_now()
    rows = [_row(publication, publication.origin or here, now) for publication in publications]
    await write_last(session, _APPEND, rows)


def _row(publication: Publication, cause: Origin, now: datetime) -> tuple[Any, ...]:
    event, event_id = publication.event, new_id()
    aggregate_id = event.aggregate_id
    payload = encode(event, event_id=event_id, version=publication.version, time=now, cause=cause)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EventTooLarge(f"{event.type} of {aggregate_id}: {len(payload)} bytes")
    return (
        partition_of(aggregate_id),
        event_id,
        event.type,
        subject_of(event),
        aggregate_id,
        publication.version,
        payload,
        cause.traceparent,
    )


def encode(event: Event, *, event_id: UUID, version: int, time: datetime, cause: Origin = _NO_ORIGIN) -> bytes:
    """Give the complete CloudEvents JSON of an event: what `contracts.Envelope` describes, without building one."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/services/{event.publisher()}",
        "type": event.type,
        "subject": f"{event.aggregate}/{event.aggregate_id}",
        "time": time,
        "datacontenttype": "application/json",
        "aggregateversion": version,
    }
    if cause.actor is not None:
        envelope["actor"] = str(cause.actor)  # it may be the driver's kind of UUID, which orjson does not know
    if cause.on_behalf_of is not None:
        envelope["onbehalfof"] = str(cause.on_behalf_of)
    if cause.traceparent is not None:
        envelope["traceparent"] = cause.traceparent
    if cause.tracestate:
        envelope["tracestate"] = cause.tracestate
    envelope["data"] = orjson.Fragment(event.model_dump_json())
    return orjson.dumps(envelope)


def origin(*, actor: UUID | None = None, on_behalf_of: UUID | None = None) -> Origin:
    """Give the origin of what this request publishes: who acts, and the current OpenTelemetry span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return Origin(actor, on_behalf_of)
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return Origin(actor, on_behalf_of, traceparent, context.trace_state.to_header() or None)


# Its cursors alone do not tell: transaction ids written meanwhile may have passed them before a relay looks.
_RESTORED = """
    select s.cluster <> (select system_identifier from pg_control_system()) or exists (
        select from outbox_cursor c where c.epoch = s.epoch and c.txid >= pg_snapshot_xmax(pg_current_snapshot())
    )
    from outbox_state s
"""

_NEXT_EPOCH = """
    update outbox_state set epoch = epoch + 1, cluster = (select system_identifier from pg_control_system())
    returning epoch
"""

# A row that was loaded from a dump was not written by the transaction it names; identities go on above its own.
_AFTER_RESTORE = """
    update outbox o set epoch = s.epoch
    from outbox_state s
    where o.epoch = s.epoch - 1
      and o.id > greatest(
          (select max(id) from outbox where epoch = s.epoch - 1 and xmin <> txid::xid),
          (select max(id) from outbox_cursor where epoch = s.epoch - 1)
      )
"""

# An epoch may end before any relay has seen it.
_ENSURE_CURSORS = """
    insert into outbox_cursor (shard, epoch, txid, id, stream_seq, stream_created_at)
    select ended.shard, ended.epoch, '0', 0, coalesce(last.stream_seq, 0), last.stream_created_at
    from (select distinct o.shard, o.epoch from outbox o, outbox_state s where o.epoch = s.epoch - 1) ended
    left join lateral (
        select stream_seq, stream_created_at from outbox_cursor where shard = ended.shard order by epoch desc limit 1
    ) last on true
    on conflict do nothing
"""


async def was_restored(connection: asyncpg.Connection) -> bool:
    """Say whether this is another cluster than the epoch began in, or one that went back, as after a restored dump."""
    return bool(await connection.fetchval(_RESTORED))


async def notice_restore(connection: asyncpg.Connection) -> None:
    """Begin a new epoch if the database was restored, once however many notice; `connection` is in no transaction.

    Rows written since the restore move to the new epoch: their ids are above every id of the dump. The relay drains
    what is left of the older epochs first.
    """
    if not await was_restored(connection):
        return
    async with connection.transaction():
        # No writer is then between reading the epoch and writing, and none begins.
        await connection.execute("lock table outbox in exclusive mode")
        if await was_restored(connection):  # nobody was quicker
            epoch = await connection.fetchval(_NEXT_EPOCH)
            await connection.execute(_AFTER_RESTORE)
            await connection.execute(_ENSURE_CURSORS)
            logger.warning("outbox_restored", extra={"epoch": epoch})


_REPUBLISH = """
    update outbox_cursor c set txid = first.txid, id = first.id - 1, updated_at = now()
    from (
        select distinct on (shard, epoch) shard, epoch, txid, id
        from outbox where created_at >= $1 order by shard, epoch, txid, id
    ) first
    where first.shard = c.shard and first.epoch = c.epoch and (c.txid, c.id) >= (first.txid, first.id)
"""


async def republish(database: Database, *, since: datetime) -> int:
    """Move every cursor back to just before the first row created at or after `since` (aware); gives how many moved.

    For after a loss at the broker. The relay publishes from there again; consumers drop what they already had.
    """
    async with closing(database.connect()) as connection:
        return count_of(await connection.execute(_REPUBLISH, since))
