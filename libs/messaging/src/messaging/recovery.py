"""An owner that went back: its stream tells of events that its database no longer knows.

After a restore in place, or a failover to a standby that lagged, cluster and transaction ids are as they were and the
cursor went back with the data: only the stream tells. What it has above the cursor and the outbox lacks is lost. It is
written down, and a new epoch begins, so that whatever the owner says from here on outranks it.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from database import Database, columns
from messaging import streams
from messaging.connection import NatsConnection
from messaging.direct import DirectReader, Entry, StreamSilent
from messaging.received import Delivery, Reader

logger = logging.getLogger(__name__)

_UNKNOWN = """
    select row.event_id
    from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as row (event_id, aggregate_id, version)
    where not exists (
        select from outbox o
        where o.aggregate_id = row.aggregate_id and o.aggregate_version = row.version and o.event_id = row.event_id
    )
"""
_ENTER = """
    insert into lost_event
        (event_id, stream_seq, type, aggregate, aggregate_id, aggregate_version, occurred_at, payload)
    select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::timestamptz[],
                         $8::bytea[])
    on conflict do nothing
"""
_LOST_ABOVE = """
    select count(*) from lost_event where stream_seq > $2 and exists (
        select from outbox_cursor c, outbox_state s where c.epoch = s.epoch and c.shard = $1 and c.stream_seq = $2
    )
"""
_BEGIN = """
    insert into outbox_recovery (stream, until_seq) values ($1, $2)
    on conflict (stream) where ended_at is null
    do update set until_seq = greatest(outbox_recovery.until_seq, excluded.until_seq)
"""
# An epoch in which nothing was published yet outranks what was lost already.
_NEXT_EPOCH = """
    update outbox_state s set epoch = epoch + 1
    where exists (select from outbox_cursor c where c.epoch = s.epoch and c.txid > '0')
"""
_MOVE_UNPUBLISHED = """
    update outbox o set epoch = s.epoch
    from outbox_state s, outbox_cursor c
    where o.epoch = s.epoch - 1 and c.epoch = o.epoch and c.shard = o.shard and (o.txid, o.id) > (c.txid, c.id)
"""
_LOOKED_UNTIL = """
    insert into outbox_cursor (shard, epoch, txid, id, stream_seq, stream_created_at)
    select spread.shard, s.epoch, '0', 0, $1, last.stream_created_at
    from outbox_state s, generate_series(0, s.shards - 1) as spread (shard)
    left join lateral (
        select stream_created_at from outbox_cursor c where c.shard = spread.shard order by epoch desc limit 1
    ) last on true
    on conflict (shard, epoch) do update set stream_seq = greatest(outbox_cursor.stream_seq, excluded.stream_seq)
"""


class Lost(NamedTuple):
    """An event that the stream has and the outbox lacks; the names are those of `lost_event`."""

    event_id: UUID
    stream_seq: int
    type: str
    aggregate: str
    aggregate_id: UUID
    aggregate_version: int
    occurred_at: datetime
    payload: bytes


class Recovering(Exception):
    """What a restored database forgot is not settled yet."""


async def is_open(database: Database) -> bool:
    """Say whether something that the database forgot is not settled yet."""
    async with database.look() as connection:
        return bool(await connection.fetchval("select exists (select from outbox_recovery where ended_at is null)"))


async def notice_loss(
    connection: asyncpg.Connection, nats: NatsConnection, service: str, *, shard: int, above: int
) -> None:
    """Write down what the service's stream has above a sequence and its outbox lacks, and begin an epoch for it.

    `above` is the cursor's of a relay's shard. `connection` is in no transaction. Raises `nats.errors.Error` when the
    stream cannot be read to its end.
    """
    stream = streams.stream_name(service)
    state = (await streams.request(nats, f"STREAM.INFO.{stream}"))["state"]
    last_seq: int = state["last_seq"]
    if last_seq <= above or not state["messages"]:
        return
    reader, read = DirectReader(nats), above
    try:
        while read < last_seq:
            entries = (await reader.get(stream, f"evt.{service}.>", {"seq": read + 1})).entries
            if not entries:
                raise StreamSilent  # a replica that lags
            read = entries[-1].seq
            if unknown := await _unknown_among(connection, _events(entries)):
                await connection.execute(_ENTER, *columns(unknown))
    finally:
        await reader.close()
    async with connection.transaction():
        # No writer is then between reading the epoch and writing, and none begins.
        await connection.execute("lock table outbox in exclusive mode")
        lost = await connection.fetchval(_LOST_ABOVE, shard, above)
        if lost:  # and no other shard's relay was quicker
            await connection.execute(_BEGIN, stream, last_seq)
            if await connection.execute(_NEXT_EPOCH) == "UPDATE 1":
                await connection.execute(_MOVE_UNPUBLISHED)
            await connection.execute(_LOOKED_UNTIL, last_seq)
            logger.error("owner_went_back", extra={"stream": stream, "lost": lost})


def _events(entries: Sequence[Entry]) -> list[Lost]:
    """Read the service's own events; what another put there is not its loss."""
    reader, events = Reader(()), []
    for entry in entries:
        delivery = Delivery(entry.subject, entry.payload, entry.headers, stream_seq=entry.seq)
        arrival = reader.read(delivery)
        if arrival.type is not None and arrival.aggregate_id is not None:
            told = orjson.loads(entry.payload)
            aggregate, time = told["subject"].partition("/")[0], datetime.fromisoformat(told["time"])
            which = (arrival.event_id, entry.seq, arrival.type, aggregate, arrival.aggregate_id)
            events.append(Lost(*which, told["aggregateversion"], time, entry.payload))
    return events


async def _unknown_among(connection: asyncpg.Connection, events: Sequence[Lost]) -> list[Lost]:
    if not events:
        return []
    keys = [(each.event_id, each.aggregate_id, each.aggregate_version) for each in events]
    unknown = {row[0] for row in await connection.fetch(_UNKNOWN, *columns(keys))}
    return [each for each in events if each.event_id in unknown]
