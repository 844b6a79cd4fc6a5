"""The relay of one shard: outbox rows in commit order to JetStream, by one leader, at least once and never skipping."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from background import NEVER, GrowingDelay, open_session, pause, prepare_waiting, try_lock, unless, wait_past
from database import Database
from messaging import metrics, outbox, publishing, recovery, streams
from messaging.connection import NatsConnection
from messaging.publishing import ContainsDuplicate, Message, NotAcknowledged, Stored

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.02
IDLE_SECONDS = 0.05
CALM_AFTER_SECONDS = 1.0
WAIT_SECONDS = 1.0
REFRESH_SECONDS = 1.0
MEASURE_SECONDS = 5.0
STUCK_SECONDS = 30.0
DATABASE_SECONDS = 15.0
_EVERYTHING = datetime.min.replace(tzinfo=UTC)
_NOTHING = datetime.max.replace(tzinfo=UTC)

_SESSION = {
    # A cursor lost in a crash is an older cursor: its rows are published again and refused as duplicates.
    "synchronous_commit": "off",
    # One plan, by the position index of each partition: planning anew costs seven times what an idle look costs.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

_ROWS = """
    select event_id::text, subject, traceparent, payload, txid, id
    from outbox
    where epoch = $1 and shard = $2 and (txid, id) > ($3::xid8, $4) {committed}
    order by txid, id
    limit $5
"""
# Only what every open transaction began after: a row that commits later can never be sorted in before these.
ROWS_OF_PRESENT_EPOCH = _ROWS.format(committed="and txid < pg_snapshot_xmin(pg_current_snapshot())")
# A past epoch gets no more rows, and its transaction ids mean nothing to this cluster's snapshots.
ROWS_OF_PAST_EPOCH = _ROWS.format(committed="")

_ENSURE_CURSOR = """
    insert into outbox_cursor (shard, epoch, txid, id, stream_seq, stream_created_at)
    select $1, s.epoch, '0', 0, coalesce(last.stream_seq, 0), last.stream_created_at
    from outbox_state s
    left join lateral (
        select stream_seq, stream_created_at from outbox_cursor where shard = $1 order by epoch desc limit 1
    ) last on true
    on conflict do nothing
"""

_CURSORS = """
    select c.epoch, c.txid, c.id, c.stream_seq, c.stream_created_at, c.epoch = s.epoch as present
    from outbox_cursor c, outbox_state s
    where c.shard = $1 and (
        c.epoch = s.epoch
        or exists (
            select from outbox o where o.epoch = c.epoch and o.shard = c.shard and (o.txid, o.id) > (c.txid, c.id)
        )
    )
    order by c.epoch
"""

_SAVE = """
    update outbox_cursor set txid = $5, id = $6, stream_seq = $7, updated_at = now()
    where shard = $1 and epoch = $2 and txid = $3 and id = $4
"""

_MOVE_BACK = """
    update outbox_cursor c
    set txid = coalesce(first.txid, c.txid), id = coalesce(first.id - 1, c.id),
        stream_seq = $3, stream_created_at = $4, updated_at = now()
    from outbox_cursor own
    left join lateral (
        select o.txid, o.id from outbox o
        where o.epoch = own.epoch and o.shard = own.shard and o.created_at >= $2
          and (o.txid, o.id) <= (own.txid, own.id)
        order by o.txid, o.id limit 1
    ) first on true
    where own.shard = $1 and c.shard = own.shard and c.epoch = own.epoch
"""

_MEASURE = """
    select coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as age,
           count(*) as depth,
           pg_snapshot_xmin(pg_current_snapshot()) as oldest_open,
           pg_snapshot_xmax(pg_current_snapshot()) as next
    from (
        select o.created_at from outbox o
        where o.epoch = $1 and o.shard = $2 and (o.txid, o.id) > ($3::xid8, $4)
        order by o.txid, o.id limit 100000
    ) pending
"""


class Cursor(NamedTuple):
    """How far one shard of one epoch is published, and the broker's last word on it."""

    epoch: int
    txid: int
    id: int
    stream_seq: int
    stream_created_at: datetime | None
    present: bool


class RelayStuck(Exception):
    """Outbox rows have been waiting to be published for too long."""


class CursorMoved(Exception):
    """Somebody else moved the cursor, e.g. to publish again: what was read ahead is out of date."""


class Relay:
    """Publishes one shard of a service's outbox for as long as it leads."""

    def __init__(
        self, service: str, database: Database, nats_connection: NatsConnection, *, shard: int = 0, replicas: int = 1
    ) -> None:
        self.name = f"relay.{shard}"
        self._service = service
        self._database = database
        self._nats = nats_connection
        self._shard = shard
        self._replicas = replicas
        self._labels = (service, str(shard))
        self._oldest_age = 0.0
        self._held_back_by: tuple[int, float] = (0, 0.0)
        self._measure_at = 0.0
        self._unchanged_at = ""
        self._generation = 0
        self._stream_shrank = False

    async def run(self, stop: asyncio.Event) -> None:
        """Wait to be the leader, then publish until `stop`; raises when the database session is lost."""
        connection = await open_session(self._database, **_SESSION)
        try:
            while not stop.is_set() and not await try_lock(connection, self.name):
                await pause(stop, 1.0)
            if not stop.is_set():
                logger.info("relay_leads", extra={"service": self._service, "shard": self._shard})
                await prepare_waiting(connection, timeout=DATABASE_SECONDS)
                await self._lead(connection, stop)
        finally:
            self._oldest_age = 0.0
            for gauge in (metrics.OUTBOX_AGE, metrics.OUTBOX_DEPTH):
                gauge.labels(*self._labels).set(0)
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                await connection.close(timeout=2)

    async def check(self) -> None:
        """Raise `RelayStuck` when this relay leads and its oldest row waits for more than 30 seconds."""
        if self._oldest_age > STUCK_SECONDS:
            raise RelayStuck(f"the oldest event has waited {self._oldest_age:.0f} s")

    async def _lead(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        delay = GrowingDelay(longest=2.0)
        while not stop.is_set():
            try:
                await self._begin(connection)
                await self._follow(connection, stop, delay)
            except CursorMoved:
                logger.info("outbox_cursor_moved", extra={"service": self._service, "shard": self._shard})
            except (NotAcknowledged, NatsError) as error:
                metrics.PUBLISH_FAILURES.labels(*self._labels).inc()
                details = {"service": self._service, "shard": self._shard}
                logger.warning("publish_failed", extra=details, exc_info=error)
                await self._measure(connection)
                await pause(stop, delay.grow())

    async def _begin(self, connection: asyncpg.Connection) -> None:
        """Make sure that our epoch is this cluster's, and that the stream is there with all it acknowledged."""
        self._generation = self._nats.generation
        self._measure_at = 0.0
        await outbox.notice_restore(connection)
        await self._notice_broker_loss(connection)
        newest = (await self._load(connection))[-1]
        await recovery.notice_loss(connection, self._nats, self._service, shard=self._shard, above=newest.stream_seq)

    async def _notice_broker_loss(self, connection: asyncpg.Connection) -> None:
        """Compare the stream with what it acknowledged; when it lacks something, go back and publish it again."""
        stream = streams.stream_name(self._service)
        try:
            info = await streams.request(self._nats, f"STREAM.INFO.{stream}")
        except NotFoundError:
            await streams.declare_stream(self._nats, self._service, replicas=self._replicas)
            info = await streams.request(self._nats, f"STREAM.INFO.{stream}")
        created_at = datetime.fromisoformat(info["created"])
        last_seq: int = info["state"]["last_seq"]
        newest = (await self._load(connection))[-1]
        intact = newest.stream_created_at == created_at and last_seq >= newest.stream_seq and not self._stream_shrank
        self._stream_shrank = False
        if intact:
            return
        since = _NOTHING  # the first contact with this stream: there is nothing to go back for
        if newest.stream_created_at is not None:
            survived = newest.stream_created_at == created_at and info["state"]["messages"] > 0
            last_at = datetime.fromisoformat(info["state"]["last_ts"])
            since = last_at - streams.DUPLICATE_WINDOW if survived else _EVERYTHING
            metrics.BROKER_LOSSES.labels(*self._labels).inc()
            logger.error(
                "broker_lost_events", extra={"stream": stream, "acknowledged": newest.stream_seq, "has": last_seq}
            )
        await connection.execute(_MOVE_BACK, self._shard, since, last_seq, created_at, timeout=DATABASE_SECONDS)

    async def _follow(self, connection: asyncpg.Connection, stop: asyncio.Event, delay: GrowingDelay) -> None:
        """Ship rows as they commit, until `stop`, or until a reconnect calls for a look at the stream."""
        cursors: list[Cursor] = []
        snapshot, seen, is_stale = NEVER, 0, True
        busy_at, refresh_at = time.monotonic(), 0.0
        while not stop.is_set() and self._generation == self._nats.generation:
            now = time.monotonic()
            if snapshot != self._unchanged_at:
                await self._measure_when_due(connection)
            present = int(snapshot.partition(":")[0])  # the oldest open transaction: what is older is complete
            if present > seen or (is_stale and now >= refresh_at):
                seen, is_stale = present, now < refresh_at
                if not is_stale:
                    cursors, refresh_at = await self._load(connection), now + REFRESH_SECONDS
                shipped = 0
                for position, cursor in enumerate(cursors):
                    cursors[position], count = await self._ship(connection, cursor, stop)
                    shipped += count
                if shipped:
                    busy_at = time.monotonic()
                    delay.reset()
            calm = time.monotonic() - busy_at > CALM_AFTER_SECONDS
            snapshot = await self._wait(connection, stop, snapshot, IDLE_SECONDS if calm else BUSY_SECONDS)

    async def _wait(self, connection: asyncpg.Connection, stop: asyncio.Event, seen: str, every: float) -> str:
        """Wait until the oldest transaction has ended that was open in `seen`, a second at most, or until `stop`.

        Gives what to wait past the next time: what commits after this is found by that.
        """
        waiting = wait_past(
            connection, seen, by_oldest=True, every=every, longest=WAIT_SECONDS, answer_within=DATABASE_SECONDS
        )
        return await unless(stop, waiting) or seen

    async def _ship(self, connection: asyncpg.Connection, cursor: Cursor, stop: asyncio.Event) -> tuple[Cursor, int]:
        """Publish all that is committed beyond the cursor; gives the new cursor and how many rows went.

        While one batch is under way, the next is read; and while that one is, the first one's cursor is saved. Under
        steady load this goes on without an end, so the gauges are set here too.
        """
        shipped = 0
        rows = await self._read(connection, cursor, cursor.txid, cursor.id)
        publishing_task = asyncio.create_task(self._publish(rows, cursor.epoch, cursor.stream_seq)) if rows else None
        try:
            while publishing_task is not None:
                following = await self._read(connection, cursor, rows[-1]["txid"], rows[-1]["id"])
                stored = await publishing_task
                publishing_task = None
                if following and not stop.is_set():
                    publishing_task = asyncio.create_task(self._publish(following, cursor.epoch, stored.stream_seq))
                cursor = await self._save(connection, cursor, rows, stored)
                shipped += len(rows)
                rows = following
                await self._measure_when_due(connection)
        finally:
            if publishing_task is not None:
                publishing_task.cancel()
                await asyncio.gather(publishing_task, return_exceptions=True)
        return cursor, shipped

    async def _read(
        self, connection: asyncpg.Connection, cursor: Cursor, txid: int, row_id: int
    ) -> list[asyncpg.Record]:
        query = ROWS_OF_PRESENT_EPOCH if cursor.present else ROWS_OF_PAST_EPOCH
        rows: list[asyncpg.Record] = await connection.fetch(
            query, cursor.epoch, self._shard, txid, row_id, publishing.MAX_BATCH, timeout=DATABASE_SECONDS
        )
        return rows

    async def _publish(self, rows: Sequence[asyncpg.Record], epoch: int, before: int) -> Stored:
        """Publish rows of an epoch in order; `before` is the stream sequence of what went before them."""
        messages = [Message(row[0], row[1], row[2], row[3], epoch) for row in rows]
        stream_seq = before
        while messages:
            if self._generation != self._nats.generation:
                raise NotAcknowledged("reconnected: the stream is looked at first")
            batch = messages[: publishing.fitting(messages)]
            try:
                stored = await publishing.publish_batch(self._nats, batch)
                if stored.stream_seq - stored.number < stream_seq:
                    self._stream_shrank = True
                    raise NotAcknowledged("stored at a sequence that was acknowledged before")
            except ContainsDuplicate:
                stored = await publishing.publish_each(self._nats, batch)
            stream_seq = max(stream_seq, stored.stream_seq)
            del messages[: len(batch)]
        return Stored(len(rows), stream_seq)

    async def _save(
        self, connection: asyncpg.Connection, cursor: Cursor, rows: Sequence[asyncpg.Record], stored: Stored
    ) -> Cursor:
        txid, row_id = rows[-1]["txid"], rows[-1]["id"]
        result = await connection.execute(
            _SAVE,
            self._shard,
            cursor.epoch,
            cursor.txid,
            cursor.id,
            txid,
            row_id,
            stored.stream_seq,
            timeout=DATABASE_SECONDS,
        )
        metrics.PUBLISHED.labels(*self._labels).inc(len(rows))
        if result != "UPDATE 1":
            raise CursorMoved
        return cursor._replace(txid=txid, id=row_id, stream_seq=stored.stream_seq)

    async def _load(self, connection: asyncpg.Connection) -> list[Cursor]:
        """Give the cursors with something left to publish, oldest epoch first; the last is the present epoch's."""
        records = await connection.fetch(_CURSORS, self._shard, timeout=DATABASE_SECONDS)
        if not records or not records[-1]["present"]:
            await connection.execute(_ENSURE_CURSOR, self._shard, timeout=DATABASE_SECONDS)
            records = await connection.fetch(_CURSORS, self._shard, timeout=DATABASE_SECONDS)
        return [Cursor(*record) for record in records]

    async def _measure_when_due(self, connection: asyncpg.Connection) -> None:
        if time.monotonic() >= self._measure_at:
            await self._measure(connection)

    async def _measure(self, connection: asyncpg.Connection) -> None:
        """Set the outbox's gauges; the age counts rows that an open write transaction holds back."""
        cursors = await self._load(connection)
        oldest = cursors[0]
        [row] = await connection.fetch(
            _MEASURE, oldest.epoch, self._shard, oldest.txid, oldest.id, timeout=DATABASE_SECONDS
        )
        now = time.monotonic()
        self._measure_at = now + MEASURE_SECONDS
        if row["oldest_open"] == row["next"] or row["oldest_open"] != self._held_back_by[0]:
            self._held_back_by = (row["oldest_open"], now)
        held_back = now - self._held_back_by[1]
        # With nothing waiting and nobody writing, the gauges hold for as long as the snapshot is this one.
        is_calm = row["depth"] == 0 and row["oldest_open"] == row["next"]
        self._unchanged_at = f"{row['next']}:{row['next']}:" if is_calm else ""
        self._oldest_age = row["age"]
        metrics.OUTBOX_AGE.labels(*self._labels).set(row["age"])
        metrics.OUTBOX_DEPTH.labels(*self._labels).set(row["depth"])
        metrics.WRITE_TRANSACTION_AGE.labels(self._service).set(held_back)
        if held_back > STUCK_SECONDS:
            logger.error("write_transaction_holds_back", extra={"service": self._service, "seconds": round(held_back)})
