"""What the tests here share: a database with messaging's tables, a broker, and a stage to publish and consume on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError
from nats.js.manager import JetStreamManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import Envelope, Event, members
from database import Database, new_id, raw
from messaging import (
    Consumer,
    NatsConnection,
    Publication,
    Received,
    Worker,
    append,
    connect,
    migrations,
    reading,
    worker,
)
from messaging.streams import declare_stream, request
from testkit.databases import Template, TestDatabases

Organisation = members.OrganisationEstablishedV1 | members.OrganisationRenamedV1 | members.OrganisationMovedV1
ORGANISATION_TYPES: tuple[type[Event], ...] = (
    members.OrganisationEstablishedV1,
    members.OrganisationRenamedV1,
    members.OrganisationMovedV1,
)

TABLES = (
    """
    create table projection (
        aggregate_id uuid primary key, version bigint not null, name text not null, handled bigint not null default 1
    )
    """,
    """
    create table ledger (
        position bigint generated always as identity primary key, event_id uuid not null, aggregate_id uuid not null,
        version bigint not null, type text not null
    )
    """,
)
PROJECT = """
    insert into projection as present (aggregate_id, version, name)
    select distinct on (id) id, version, name
    from unnest($1::uuid[], $2::bigint[], $3::text[]) as row (id, version, name)
    order by id, version desc
    on conflict (aggregate_id) do update set version = excluded.version, name = excluded.name
    where present.version < excluded.version
"""
LEDGER = """
    insert into ledger (event_id, aggregate_id, version, type)
    select event_id, aggregate_id, version, $4 from unnest($1::uuid[], $2::uuid[], $3::bigint[])
        with ordinality as row (event_id, aggregate_id, version, position) order by position
"""


class Operations:
    """Collects what a migration would execute."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, sqltext: str) -> None:
        self.statements.append(sqltext)


async def _migrate(url: str) -> None:
    operations = Operations()
    migrations.create_v1(operations)
    migrations.create_v2(operations)
    database = Database(url, application_name="migrate")
    async with database.transaction() as session:
        for statement in [*operations.statements, *TABLES]:
            await session.execute(text(statement))
    await database.close()


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("messagingtest", _migrate)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="test")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def nats(nats_url: str) -> AsyncIterator[NatsConnection]:
    connection = await connect(nats_url, name="test")
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what comes round every few seconds come round sooner."""
    monkeypatch.setattr(worker, "_RETRIES_SECONDS", 0.3)
    monkeypatch.setattr(reading, "STREAM_MISSING_SECONDS", 0.5)


class Stage:
    """One database that both publishes as `members` and consumes, with readable steps for tests."""

    def __init__(self, database: Database, nats: NatsConnection) -> None:
        self.database = database
        self.nats = nats
        self.fails: Callable[[Received[Any]], Exception | None] = lambda _: None

    def established(self, organisation_id: UUID | None = None, name: str = "x") -> members.OrganisationEstablishedV1:
        return members.OrganisationEstablishedV1(
            organisation_id=organisation_id or new_id(), parent_id=None, kind="branch", level="branch", name=name
        )

    def renamed(self, organisation_id: UUID, name: str = "y") -> members.OrganisationRenamedV1:
        return members.OrganisationRenamedV1(
            organisation_id=organisation_id, parent_id=None, kind="branch", level="branch", name=name
        )

    def moved(self, organisation_id: UUID) -> members.OrganisationMovedV1:
        return members.OrganisationMovedV1(
            organisation_id=organisation_id, parent_id=new_id(), kind="branch", level="branch", name="z"
        )

    async def append(self, *publications: tuple[Event, int]) -> None:
        async with self.database.transaction() as session:
            await append(session, [Publication(*publication) for publication in publications])

    async def append_many(self, count: int) -> list[UUID]:
        ids = [new_id() for _ in range(count)]
        await self.append(*[(self.established(one), 1) for one in ids])
        return ids

    async def handle(self, session: AsyncSession, received: Sequence[Received[Organisation]]) -> None:
        for one in received:
            error = self.fails(one)
            if error is not None:
                raise error
        connection = await raw(session)
        ids = [one.event.aggregate_id for one in received]
        versions = [one.version for one in received]
        await connection.execute(PROJECT, ids, versions, [one.event.name for one in received])
        await connection.execute(LEDGER, [one.event_id for one in received], ids, versions, received[0].event.type)

    def consumer(self, name: str = "reader") -> Consumer:
        return Consumer(name, handlers=dict.fromkeys(ORGANISATION_TYPES, self.handle))

    def worker(self, *consumers: Consumer) -> Worker:
        return Worker("members", self.database, self.nats, consumers)

    @asynccontextmanager
    async def running(self, worker: Worker) -> AsyncIterator[asyncio.Event]:
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        try:
            yield stop
        finally:
            stop.set()
            await asyncio.wait_for(task, 30)

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        async with self.database.transaction() as session:
            records: list[asyncpg.Record] = await (await raw(session)).fetch(query, *arguments)
        return records

    async def value(self, query: str, *arguments: Any) -> Any:
        return (await self.fetch(query, *arguments))[0][0]

    async def ledger(self) -> list[tuple[UUID, int]]:
        return [tuple(row) for row in await self.fetch("select aggregate_id, version from ledger order by position")]

    async def stream(self) -> list[Envelope]:
        """Everything in the stream, in order."""
        try:
            info = await request(self.nats, "STREAM.INFO.EVT_MEMBERS")
        except NotFoundError:
            return []
        envelopes = []
        for sequence in range(info["state"]["first_seq"], info["state"]["last_seq"] + 1):
            message = await JetStreamManager(self.nats.client).get_msg("EVT_MEMBERS", sequence)
            envelopes.append(Envelope.model_validate_json(message.data or b""))
        return envelopes

    async def count_in_stream(self) -> int:
        try:
            info = await request(self.nats, "STREAM.INFO.EVT_MEMBERS")
        except NotFoundError:
            return 0
        return int(info["state"]["messages"])

    async def publish_raw(self, payload: bytes, *, subject: str | None = None, event_id: UUID | None = None) -> None:
        """Put something into the stream that no outbox wrote; an envelope goes where its subject says."""
        await declare_stream(self.nats, "members")
        await self.nats.client.request(
            subject or f"evt.members.p00.{orjson.loads(payload)['subject'].replace('/', '.')}",
            payload,
            headers={"Nats-Msg-Id": str(event_id or new_id())},
            timeout=5,
        )

    async def cut_lock_sessions(self) -> None:
        """End every session that holds an advisory lock, as a network that drops it would."""
        await self.fetch(
            "select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)"
            " where locktype = 'advisory' and granted and pid <> pg_backend_pid() and datname = current_database()"
        )

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < deadline, "it did not come to pass in time"
            await asyncio.sleep(0.05)

    async def until_ledger(self, count: int) -> None:
        async def enough() -> bool:
            return bool(await self.value("select count(*) from ledger") >= count)

        await self.until(enough)


@pytest.fixture
def stage(database: Database, nats: NatsConnection) -> Stage:
    return Stage(database, nats)


def as_json(envelope: Envelope, **changes: Any) -> bytes:
    """Give an envelope as a publisher might send it, with some attributes changed."""
    return orjson.dumps({**envelope.model_dump(mode="json", exclude_none=True), **changes})
