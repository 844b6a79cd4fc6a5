"""Rebuilding a projection from the streams, beside the live one, and switching when it has caught up."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NamedTuple

import asyncpg
from nats.js.errors import NotFoundError
from sqlalchemy.ext.asyncio import AsyncSession

from background import leadership
from database import Database, closing, raw
from messaging import shadow, spaces, streams
from messaging.connection import NatsConnection
from messaging.consumer import Consumer
from messaging.inbox import Inbox
from messaging.pulling import Interrupted, Puller
from messaging.shadow import TableComparison
from messaging.spaces import ShadowSpace

logger = logging.getLogger(__name__)

Hook = Callable[[AsyncSession], Awaitable[None]]
LastHook = Callable[[asyncpg.Connection], Awaitable[None]]
_LOCK_TIMEOUT = "10s"
SETTLE_EVENTS = 20_000

# What an operator gave up stays given up: known to the new inbox space, so that it is neither applied nor parked again.
_CARRY_DISCARDED = """
    insert into parked (consumer, event_id, stream, type, aggregate_id, aggregate_version, subject, headers, payload,
                        reason, error, state, attempts, parked_at)
    select $2, event_id, stream, type, aggregate_id, aggregate_version, subject, headers, payload,
           reason, error, state, attempts, parked_at
    from parked where consumer = $1 and state = 'discarded' order by id
"""
_CARRY_RECEIVED = """
    insert into inbox (day, consumer, event_id)
    select day, $2, event_id from inbox
    where consumer = $3 and event_id in (select event_id from parked where consumer = $1 and state = 'discarded')
"""
# Given up while the rebuild was under way; what waits behind it goes on.
_DISCARD_LATE = """
    with gone as (
        update parked rebuilt set state = 'discarded', next_at = null from parked live
        where live.consumer = $1 and live.state = 'discarded'
          and rebuilt.consumer = $2 and rebuilt.event_id = live.event_id and rebuilt.state <> 'discarded'
        returning rebuilt.event_id, rebuilt.aggregate_id
    )
    update parked set next_at = now()
    where consumer = $2 and state = 'waiting' and aggregate_id in (select aggregate_id from gone)
      and event_id not in (select event_id from gone)
"""


class RebuildUnderWay(Exception):
    """Another rebuild works in this database; one at a time."""


class HistoryIncomplete(Exception):
    """A stream's oldest events have gone out of it, so that it alone cannot rebuild anything; bring a snapshot."""


class RebuildReport(NamedTuple):
    """What a rebuild did: events applied, the comparison of each table, and whether the live ones were replaced."""

    consumer: str
    generation: int
    events: int
    seconds: float
    tables: tuple[TableComparison, ...]
    switched: bool


async def rebuild(
    database: Database,
    nats: NatsConnection,
    consumer: Consumer,
    *,
    tables: Sequence[str],
    snapshot: Hook | None = None,
    settle: Hook | None = None,
    before_switch: LastHook | None = None,
    switch: Literal["always", "if_equal", "never"] = "always",
) -> RebuildReport:
    """Fill copies of `tables` from the streams with the consumer's handlers, compare them, and put them in place.

    The live consumer goes on meanwhile; it pauses only while the last events are caught up and the tables compared.
    `tables` are all that the handlers write; what they append is thrown away. `snapshot` fills the copies with the
    owners' state before the streams are read: needed once a stream's oldest events are gone. `settle` does in the
    copies what a job does in the live ones, e.g. fold deltas: every 20,000 events, so that it never has much to do in
    one transaction, and before the comparison. `before_switch` works on the copies in the transaction that puts them in
    place, e.g. to take out what another consumer took out of the live ones meanwhile. Identities and ids of
    transactions may differ. What was discarded stays so. Raises `RebuildUnderWay`, `HistoryIncomplete`,
    `messaging.shadow.CannotRebuild` or `messaging.spaces.WroteToLiveTable`; the live tables are then as they were.
    """
    began = time.monotonic()
    async with closing(leadership.open_session(database)) as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute(f"set lock_timeout = '{_LOCK_TIMEOUT}'")
        if not await leadership.try_lock(connection, "rebuild"):
            raise RebuildUnderWay
        work = _Rebuild(database, nats, consumer, await _next_generation(connection, consumer.name), settle)
        try:
            await work.begin(connection, tables, snapshot)
            await work.catch_up()
            await work.settle()
            async with spaces.closed(connection, consumer.name):
                await work.catch_up()
                await work.settle()
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    compared = tuple(await shadow.compare(connection, tables))
                switched = switch == "always" or (switch == "if_equal" and all(one.equal for one in compared))
                if switched:
                    await work.become_live(connection, tables, before_switch)
        finally:
            await work.clean_up(connection)
    seconds = time.monotonic() - began
    details = {"consumer": consumer.name, "events": work.events, "switched": switched, "seconds": round(seconds, 1)}
    logger.info("projection_rebuilt", extra=details)
    return RebuildReport(consumer.name, work.generation, work.events, seconds, compared, switched)


async def _next_generation(connection: asyncpg.Connection, consumer: str) -> int:
    await connection.execute("insert into consumer_generation (consumer) values ($1) on conflict do nothing", consumer)
    present: int = await connection.fetchval("select generation from consumer_generation where consumer = $1", consumer)
    return present + 1


class _Rebuild:
    """One rebuild under way: a shadow consumer with an inbox space and durable consumers of its own."""

    def __init__(
        self, database: Database, nats: NatsConnection, consumer: Consumer, generation: int, settle: Hook | None
    ) -> None:
        self.generation = generation
        self.events = 0
        self._settle = settle
        self._settled_events = 0
        self._database = database
        self._nats = nats
        self._name = consumer.name
        self._label = f"{consumer.name}@{generation}"
        self._durable = f"{consumer.name}-rebuild"  # one for all generations: the broker permits names, no patterns
        self._space = ShadowSpace(self._label)
        self._readers = {
            service: (
                consumer.puller(nats, service, durable=self._durable),
                Inbox(consumer, database, streams.stream_name(service), space=self._space),
            )
            for service in consumer.filters
        }

    async def begin(self, connection: asyncpg.Connection, tables: Sequence[str], snapshot: Hook | None) -> None:
        """Clear what a broken-off attempt left, make the copies, and load the owners' snapshot."""
        await self._forget(connection)
        await self._carry_discarded(connection)
        for service in self._readers:
            info = await self._stream_info(service)
            if snapshot is None and info is not None and info["state"]["first_seq"] > 1:
                raise HistoryIncomplete(streams.stream_name(service))
        await shadow.create(connection, tables)
        await self.in_shadow(snapshot)

    async def catch_up(self) -> None:
        """Apply all that the streams have at this moment; what comes later is for the next time."""
        for service, (puller, inbox) in self._readers.items():
            stream = streams.stream_name(service)
            info = await self._stream_info(service)
            done = info is None
            while info is not None and not done:
                try:
                    await puller.begin(await inbox.reached())
                    await self._drain(puller, inbox, info["state"]["last_seq"])
                    done = True
                except Interrupted as interruption:
                    logger.info("rebuild_rewinds", extra={"stream": stream, "reason": interruption.code})
                finally:
                    await puller.end()

    async def _stream_info(self, service: str) -> dict[str, Any] | None:
        """Ask how far a service's stream is; none while it has never published, which is the same as an empty one."""
        try:
            return await streams.request(self._nats, f"STREAM.INFO.{streams.stream_name(service)}")
        except NotFoundError:
            return None

    async def _drain(self, puller: Puller, inbox: Inbox, last_seq: int) -> None:
        # What comes between the position and the last may be of other aggregates, and then is not for this consumer.
        while puller.position.stream_seq < last_seq and (arrivals := await puller.next_if_any()) is not None:
            outcome = await inbox.apply(arrivals, puller.position)
            self.events += len(outcome.applied)
            await puller.acknowledge(arrivals)
            if self.events - self._settled_events >= SETTLE_EVENTS:
                await self.settle()

    async def settle(self) -> None:
        """Have what the handlers noted brought in, in a transaction of its own."""
        self._settled_events = self.events
        await self.in_shadow(self._settle)

    async def in_shadow(self, hook: Hook | None) -> None:
        """Run a hook in a transaction of the shadow tables."""
        if hook is None:
            return
        async with self._database.transaction() as session:
            connection = await raw(session)
            await self._space.enter(connection)
            await hook(session)
            await session.flush()
            await self._space.leave(connection)

    async def become_live(
        self, connection: asyncpg.Connection, tables: Sequence[str], before_switch: LastHook | None
    ) -> None:
        """Make this generation and its tables the live ones: what it has received, the consumer drops as duplicates."""
        async with connection.transaction():
            if before_switch is not None:
                await spaces.turn_to_shadow(connection)
                await before_switch(connection)
            await shadow.switch(connection, tables)
            await connection.execute(
                "update consumer_generation set generation = $2, switched_at = now() where consumer = $1",
                self._name,
                self.generation,
            )
            await connection.execute(_DISCARD_LATE, self._name, self._label)
            await connection.execute("delete from parked where consumer = $1", self._name)
            await connection.execute("update parked set consumer = $1 where consumer = $2", self._name, self._label)

    async def clean_up(self, connection: asyncpg.Connection) -> None:
        """Remove the shadow schema and the durable consumers; the inbox space only when it did not become live."""
        async with connection.transaction():
            await shadow.drop(connection)
        for service in self._readers:
            await streams.delete_consumer(self._nats, streams.stream_name(service), self._durable)

    async def _carry_discarded(self, connection: asyncpg.Connection) -> None:
        live = await connection.fetchval(spaces.LABEL, self._name)
        async with connection.transaction():
            await connection.execute(_CARRY_RECEIVED, self._name, self._label, live)
            await connection.execute(_CARRY_DISCARDED, self._name, self._label)

    async def _forget(self, connection: asyncpg.Connection) -> None:
        await self.clean_up(connection)
        await connection.execute("delete from inbox where consumer = $1", self._label)
        await connection.execute("delete from parked where consumer = $1", self._label)
        await connection.execute("delete from consumer_position where consumer = $1", self._label)
