"""[consumer] Events projected a second, beside the rows that this writes by plain `unnest` inserts of 1,000.

[position] the same beside itself without keeping its position, [restore-catch-up] after its database was put back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import members
from database import Database, raw, utc_now
from messaging import Consumer, NatsConnection, Received, Worker, positions, streams
from tests.bench.relay import an_event, fill, published
from tests.bench.results import Result
from tests.bench.stage import Stage, median_pair, percentile, rate
from webapi.processes import freeze_startup_objects

EVENTS = 20_000
BATCH = 1_000
ROUNDS = 3
AGED = 1_000
TABLES = """
create table plain (organisation_id uuid primary key, version bigint, name text, parent_id uuid);
create table plain_delta (id bigint generated always as identity, organisation_id uuid, measure text, delta bigint);
create table projected (organisation_id uuid primary key, version bigint, name text, parent_id uuid);
create table delta (id bigint generated always as identity, organisation_id uuid, measure text, delta bigint);
"""
PROJECT = """
with changed as (
    insert into projected as kept select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[])
    on conflict (organisation_id) do update
        set version = excluded.version, name = excluded.name, parent_id = excluded.parent_id
        where kept.version < excluded.version
    returning old.parent_id as before, new.parent_id as after
)
insert into delta (organisation_id, measure, delta)
select after, 'organisations', 1 from changed where before is distinct from after
"""
PLAIN = "insert into plain select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[])"
PLAIN_INBOX = "insert into inbox select current_date, 'plain', id from unnest($1::uuid[]) as id"
PLAIN_DELTA = """
insert into plain_delta (organisation_id, measure, delta) select id, 'organisations', 1 from unnest($1::uuid[]) as id
"""


class Handled:
    """Projects, and counts in this process: asking the database again and again would be a load of its own."""

    def __init__(self) -> None:
        self.events = 0

    async def project(self, session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
        """Project a batch and count its events."""
        await project(session, batch)
        self.events += len(batch)

    async def until(self, count: int) -> None:
        """Return once so many events have been handled."""
        while self.events < count:
            await asyncio.sleep(0.003)


async def measure(stage: Stage) -> list[Result]:
    """Publish events once for each round, consume them under a new name each time."""
    freeze_startup_objects()  # as the process of a service does
    publisher_url, url = await stage.migrated("members"), await stage.migrated("gateway")
    async with stage.database(publisher_url) as publisher, stage.database(url) as database:
        await _run(database, TABLES)
        async with stage.connected() as nats:
            await streams.declare_stream(nats, "members")
            return [*await _consumer(stage, publisher, database, nats), *await _age(stage, publisher, database, nats)]


@asynccontextmanager
async def _working(worker: Worker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    yield
    stop.set()
    await running


async def _consumer(stage: Stage, publisher: Database, database: Database, nats: NatsConnection) -> list[Result]:
    events = stage.of(EVENTS, BATCH)
    await fill(publisher, events)
    async with _working(Worker("members", publisher, nats)):
        await published(publisher)
    rounds = iter(range(100))

    async def consumed(name: str = "") -> float:
        await _run(database, "truncate projected, delta, plain, plain_delta, inbox, consumer_position")
        handled = Handled()
        consumer = Consumer(
            name or f"bench-{next(rounds)}", handlers={members.OrganisationEstablishedV1: handled.project}
        )
        async with _working(Worker("gateway", database, nats, [consumer])):
            await handled.until(1)
            begun = handled.events

            async def rest() -> None:
                await handled.until(events)
                await _until_projected(database, events)  # the last batch commits after it was handled

            return await rate(events - begun, rest)

    async def plain() -> float:
        connection = await database.connect()
        batches = [[an_event() for _ in range(BATCH)] for _ in range(events // BATCH)]

        async def insert() -> None:
            for batch in batches:
                columns = _columns([(event, 1) for event in batch])
                async with connection.transaction():
                    await connection.execute(PLAIN_INBOX, columns[0])
                    await connection.execute(PLAIN, *columns)
                    await connection.execute(PLAIN_DELTA, columns[3])

        speed = await rate(events, insert)
        await connection.close()
        return speed

    async def without_position() -> float:
        with patch.object(positions, "move", _nowhere):
            return await consumed()

    value, most = await median_pair(stage.of(ROUNDS), consumed, plain)
    note = "pull, inbox, versioned upsert, delta, acknowledge; beside plain inserts of the same rows"
    results = [Result("consumer", value, "events/s", most, 0.4, note=note)]
    value, most = await median_pair(stage.of(2 * ROUNDS), consumed, without_position)
    results.append(Result("position", value, "events/s", most, 0.97, note="beside the same without its position"))
    value, most = await median_pair(stage.of(ROUNDS), lambda: consumed("bench-0"), consumed)
    note = "all that was acknowledged comes again; beside a new consumer"
    return [*results, Result("restore-catch-up", value, "events/s", most, 0.8, note=note)]


async def _nowhere(*_: object) -> bool:
    return True


async def _age(stage: Stage, publisher: Database, database: Database, nats: NatsConnection) -> list[Result]:
    """Measure the age of events when they are projected, at some 200 small transactions a second."""
    events, aged = stage.of(EVENTS, BATCH), stage.of(AGED)
    ages: list[float] = []

    async def note_age(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
        await project(session, batch)
        ages.extend((utc_now() - received.time).total_seconds() for received in batch)

    await _run(database, "truncate projected")
    consumer = Consumer("bench-age", handlers={members.OrganisationEstablishedV1: note_age})
    async with (
        _working(Worker("members", publisher, nats)),
        _working(Worker("gateway", database, nats, [consumer])),
    ):
        await _until_projected(database, events)
        ages.clear()
        for _ in range(aged):
            await fill(publisher, 1)
            await asyncio.sleep(0.004)
        await _until_projected(database, events + aged)
    return [
        Result(f"event-age-{name}", percentile(ages, share) * 1000, "ms", note="from commit to projection, one by one")
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def project(session: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    """Keep the newest row of each organisation and note what changed."""
    await (await raw(session)).execute(PROJECT, *_columns([(received.event, received.version) for received in batch]))


def _columns(rows: Sequence[tuple[Any, int]]) -> list[list[Any]]:
    return [
        [event.organisation_id for event, _ in rows],
        [version for _, version in rows],
        [event.name for event, _ in rows],
        [event.parent_id for event, _ in rows],
    ]


async def _projected(database: Database) -> int:
    async with database.read() as session:
        count: int = await (await raw(session)).fetchval("select count(*) from projected")
    return count


async def _until_projected(database: Database, count: int) -> None:
    while await _projected(database) < count:
        await asyncio.sleep(0.003)


async def _run(database: Database, statements: str) -> None:
    connection = await database.connect()
    await connection.execute(statements)
    await connection.close()
