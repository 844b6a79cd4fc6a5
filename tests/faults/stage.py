"""One outbox, one broker, and a consumer whose every effect is a row: what faults of messaging itself are played on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Event, members
from database import Database, new_id, raw
from messaging import Consumer, NatsConnection, Publication, Received, Worker, append, migrations, streams
from messaging.failures import is_passing
from tests.faults import oracle
from tests.faults.oracle import Fact, Put

READER = "reader"
STREAM = "EVT_MEMBERS"
EVENT_TYPES: tuple[type[members.OrganisationState], ...] = (
    members.OrganisationEstablishedV1,
    members.OrganisationRenamedV1,
    members.OrganisationMovedV1,
)
PATIENCE_SECONDS = 60.0

_TABLES = (
    "create table tally (aggregate_id uuid primary key, version bigint not null)",
    """
    create table effect (
        position bigint generated always as identity primary key, event_id uuid not null, aggregate_id uuid not null,
        version bigint not null
    )
    """,
)
_COUNT = """
    insert into tally select * from unnest($1::uuid[], $2::bigint[]) order by 1
    on conflict (aggregate_id) do update set version = excluded.version where tally.version = excluded.version - 1
    returning aggregate_id, version
"""
_EFFECT = """
    insert into effect (event_id, aggregate_id, version)
    select event_id, aggregate_id, version from unnest($1::uuid[], $2::uuid[], $3::bigint[])
        with ordinality as row (event_id, aggregate_id, version, position) order by position
"""

Step = tuple[UUID, int]
Fails = Callable[[Received[Any]], Exception | None]


class _Operations:
    """Collects what a migration would execute."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, sqltext: str) -> None:
        self.statements.append(sqltext)


async def make_tables(url: str) -> None:
    """Make messaging's tables, and those of the publisher's state and of the consumer's effects."""
    operations = _Operations()
    migrations.create_v1(operations)
    migrations.create_v2(operations)
    connection = await asyncpg.connect(url)
    for statement in (*operations.statements, *_TABLES):
        await connection.execute(statement)
    await connection.close()


def event_of(aggregate_id: UUID, version: int) -> Event:
    """Make the event of an aggregate's version; its type goes in turns, so that order across types is seen."""
    make = EVENT_TYPES[(version - 1) % len(EVENT_TYPES)]
    return make(organisation_id=aggregate_id, parent_id=None, kind="branch", level="branch", name="某支部")


def effects_consumer(name: str = READER, fails: Fails = lambda _: None) -> Consumer:
    """Make the consumer that writes a row for each event it handles, whatever was there before."""

    async def handle(session: AsyncSession, received: Sequence[Received[Any]]) -> None:
        for one in received:
            error = fails(one)
            if error is not None:
                raise error
        columns = [(one.event_id, one.event.aggregate_id, one.version) for one in received]
        await (await raw(session)).execute(_EFFECT, *zip(*columns, strict=True))

    return Consumer(name, handlers=dict.fromkeys(EVENT_TYPES, handle))


class Stage:
    """A database that both publishes and consumes; `accepted` is the ledger of the client that writes to it."""

    def __init__(self, database: Database, nats: NatsConnection) -> None:
        self.database = database
        self.nats = nats
        self.accepted: list[Step] = []

    async def accept(self, *steps: Step) -> None:
        """Count aggregates up by one command, as an idempotent client that goes on until it is told that it is done."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                async with self.database.transaction() as session:
                    await count(session, steps)
                break
            except Exception as error:
                if not is_passing(error) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)
        self.accepted += steps

    async def accept_many(self, aggregates: int, versions: int = 1) -> list[UUID]:
        """Count so many new aggregates up to that version, a transaction for each version."""
        ids = [new_id() for _ in range(aggregates)]
        for version in range(1, versions + 1):
            await self.accept(*[(one, version) for one in ids])
        return ids

    def worker(self, *consumers: Consumer) -> Worker:
        """Make a worker with the relay and these consumers."""
        return Worker("members", self.database, self.nats, consumers)

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Give the rows of a query."""
        async with self.database.transaction() as session:
            rows: list[asyncpg.Record] = await (await raw(session)).fetch(query, *arguments)
        return rows

    async def value(self, query: str, *arguments: Any) -> Any:
        """Give the one value of a query."""
        return (await self.fetch(query, *arguments))[0][0]

    async def outbox(self) -> list[Fact]:
        """Give the outbox in the order it was written."""
        return await outbox_of(await self.database.connect())

    async def stream(self) -> list[Fact]:
        """Give the stream in order."""
        return await stream_of(self.nats, STREAM)

    async def effects(self) -> list[Fact]:
        """Give every effect in the order it was committed."""
        return [
            Fact(*row)
            for row in await self.fetch("select event_id, aggregate_id, version from effect order by position")
        ]

    async def aside(self, consumer: str = READER) -> list[Put]:
        """Give what is put aside."""
        rows = await self.fetch(
            "select event_id, aggregate_id, aggregate_version, state from parked where consumer = $1 order by id",
            consumer,
        )
        return [Put(*row) for row in rows]

    async def differences(self, *, repeats: bool = False, effects: bool = True) -> list[str]:
        """Ask the oracle: ledger, outbox, stream, and the effects unless there is no consumer."""
        outbox, stream = await self.outbox(), await self.stream()
        found = [
            *oracle.unlike_ledger(self.accepted, outbox),
            *oracle.gaps(outbox),
            *oracle.unlike_outbox(outbox, stream, repeats=repeats),
        ]
        if effects:
            found += oracle.not_once(outbox, await self.effects(), await self.aside())
        return found

    async def cut_lock_sessions(self) -> None:
        """End every session that holds an advisory lock, as a network that drops it would."""
        await self.fetch(
            "select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)"
            " where locktype = 'advisory' and granted and pid <> pg_backend_pid() and datname = current_database()"
        )

    async def until_published(self) -> None:
        """Wait until the relay holds that all is published: its cursor stands at the outbox's end."""

        async def at_the_end() -> bool:
            return bool(
                await self.value(
                    "select not exists (select from outbox o where not exists ("
                    " select from outbox_cursor c where c.shard = o.shard and c.epoch = o.epoch"
                    " and (o.txid, o.id) <= (c.txid, c.id)))"
                )
            )

        await until(at_the_end)

    async def until_effects(self, at_least: int) -> None:
        """Wait until there are so many effects."""

        async def enough() -> bool:
            return bool(await self.value("select count(*) from effect") >= at_least)

        await until(enough)

    async def until_acknowledged(self, consumer: str = READER) -> None:
        """Wait until the consumer has acknowledged all that the stream has."""

        async def nothing_left() -> bool:
            try:
                info = await streams.request(self.nats, f"CONSUMER.INFO.{STREAM}.{consumer}")
            except NotFoundError:
                return False
            return bool(info["num_pending"] == 0 and info["num_ack_pending"] == 0)

        await until(nothing_left)


async def count(session: AsyncSession, steps: Sequence[Step]) -> None:
    """Count aggregates up to these versions, and publish it; what is counted already changes nothing."""
    counted = await (await raw(session)).fetch(_COUNT, *zip(*steps, strict=True))
    await append(session, [Publication(event_of(*row), row["version"]) for row in counted])


async def outbox_of(connection: asyncpg.Connection) -> list[Fact]:
    """Read an outbox in the order it was written, and close the connection; the audit's checkpoints come by the clock.

    So they are left out, here and of the stream.
    """
    rows = await connection.fetch(
        "select event_id, aggregate_id, aggregate_version from outbox"
        " where subject not like '%.audit_chain.%' order by id"
    )
    await connection.close()
    return [Fact(*row) for row in rows]


async def stream_of(nats: NatsConnection, stream: str) -> list[Fact]:
    """Read a stream in order: events by what their envelope says, and by their message's id where it is spoilt."""
    try:
        total: int = (await streams.request(nats, f"STREAM.INFO.{stream}"))["state"]["messages"]
    except NotFoundError:
        return []
    reading = ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=60)
    subscription = await nats.client.jetstream().pull_subscribe("", stream=stream, config=reading)
    found: list[Fact] = []
    read = 0
    while read < total:
        try:
            for message in await subscription.fetch(1000, timeout=5):
                read += 1
                if ".audit_chain." in message.subject:
                    continue
                named = (message.headers or {}).get("Nats-Msg-Id", "")
                found.append(_fact(message.subject, message.data, named))
        except NatsTimeoutError as error:
            raise AssertionError(f"{stream}: {read} of {total} messages can be read") from error
    await subscription.unsubscribe()
    return found


def _fact(subject: str, payload: bytes, named: str) -> Fact:
    aggregate_id = UUID(subject.rpartition(".")[2])
    try:
        envelope = orjson.loads(payload)
        return Fact(UUID(envelope["id"]), aggregate_id, envelope["aggregateversion"])
    except (orjson.JSONDecodeError, KeyError):
        return Fact(UUID(named), aggregate_id, None)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """Run a worker for the length of the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a condition holds; fail when it does not in that time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"{condition.__name__}: not within {seconds} s"
        await asyncio.sleep(0.05)
