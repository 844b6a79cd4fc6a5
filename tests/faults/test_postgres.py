"""PostgreSQL killed under load, and its dump restored into a cluster that has counted less (fault 18)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from database import Database, new_id
from messaging import NatsConnection
from standalone.postgres import PostgresServer, client_program
from tests.faults import broken
from tests.faults.stage import Stage, effects_consumer, make_tables, running
from tests.faults.town import lasting_port, start_server

# On one worker, for they share two servers.
pytestmark = pytest.mark.xdist_group("faults-postgres")

NOT_DURABLE = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
}
WRITERS = 8
# The dumped cluster has counted 5,000 transactions more than the one it is restored into.
COUNT_AHEAD = "do $$ begin for i in 1..5000 loop perform pg_current_xact_id(); commit; end loop; end $$"

Restored = Callable[..., AbstractAsyncContextManager[Stage]]


class Cluster:
    """A PostgreSQL server of this module's own, durable unless it is started otherwise."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.server = self._server({})

    def _server(self, settings: Mapping[str, str]) -> PostgresServer:
        self._folder.mkdir(exist_ok=True)
        return PostgresServer(
            self._folder / "data",
            port=lasting_port(),
            password="faults",
            log=self._folder / "postgres.log",
            settings=settings,
        )

    async def restart(self, settings: Mapping[str, str]) -> None:
        """Start it again with other settings."""
        await asyncio.to_thread(self.server.stop)
        self.server = self._server(settings)
        await start_server(self.server)

    async def make(self, name: str) -> str:
        """Make an empty database and give its address."""
        connection = await asyncpg.connect(self.server.url())
        await connection.execute(f"create database {name}")
        await connection.close()
        return self.server.url(name)


@asynccontextmanager
async def cluster_in(folder: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(folder)
    await start_server(cluster.server)
    try:
        yield cluster
    finally:
        await asyncio.to_thread(cluster.server.stop)


@pytest_asyncio.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with cluster_in(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def younger(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A cluster that has counted few transactions."""
    async with cluster_in(tmp_path_factory.mktemp("younger")) as made:
        yield made


@asynccontextmanager
async def stage_in(url: str, nats: NatsConnection) -> AsyncIterator[Stage]:
    """Open a stage on a database of its own."""
    database = Database(url, application_name="faults")
    try:
        yield Stage(database, nats)
    finally:
        await database.close()


async def kill_under_load(cluster: Cluster, stage: Stage, kills: int) -> None:
    """Have several clients count up while the server is killed and started again."""
    killed = 0

    async def write() -> None:
        aggregates = [new_id() for _ in range(3)]
        version = 0
        while killed < kills or version < 30:
            version += 1
            await stage.accept(*[(one, version) for one in aggregates])

    async def kill() -> None:
        nonlocal killed
        for number in range(1, kills + 1):
            while len(stage.accepted) < 200 * number:
                await asyncio.sleep(0.01)
            cluster.server.kill()
            await start_server(cluster.server)
            killed += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(kill())
        for _ in range(WRITERS):
            group.create_task(write())


async def test_a_killed_postgresql_keeps_every_accepted_command_and_each_effect_once(
    cluster: Cluster, nats: NatsConnection
) -> None:
    url = await cluster.make("killed")
    await make_tables(url)
    async with stage_in(url, nats) as stage:
        async with running(stage.worker(effects_consumer())):
            await kill_under_load(cluster, stage, kills=2)
            await stage.until_published()
            await stage.until_acknowledged()
        assert await stage.differences() == []


async def test_a_killed_postgresql_that_does_not_wait_for_the_disk_loses_accepted_commands(
    cluster: Cluster, nats: NatsConnection
) -> None:
    await make_tables(await cluster.make("careless"))
    await cluster.restart(NOT_DURABLE)
    url = cluster.server.url("careless")
    try:
        async with stage_in(url, nats) as stage:
            await kill_under_load(cluster, stage, kills=1)
            found = await stage.differences(effects=False)
    finally:
        await cluster.restart({})
    assert any("accepted, and not in the outbox" in one for one in found)


async def run_program(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs."""
    program = await asyncio.create_subprocess_exec(str(client_program(name)), *arguments)
    assert await program.wait() == 0, name


@pytest.fixture
def restored(cluster: Cluster, younger: Cluster, nats: NatsConnection, tmp_path: Path) -> Restored:
    """Publish, dump, and restore into a cluster with lower transaction ids; `pending` is what was not published yet."""

    @asynccontextmanager
    async def restore(*, pending: bool) -> AsyncIterator[Stage]:
        name, dump = f"dumped_{new_id().hex}", tmp_path / "dump"
        url = await cluster.make(name)
        await make_tables(url)
        connection = await asyncpg.connect(url)
        await connection.execute(COUNT_AHEAD)
        await connection.close()
        async with stage_in(url, nats) as stage:
            await stage.accept_many(30, versions=3)
            async with running(stage.worker(effects_consumer())):
                await stage.until_published()
                await stage.until_acknowledged()
            if pending:
                await stage.accept_many(10)
            await run_program("pg_dump", "--format=custom", f"--file={dump}", url)
            accepted = stage.accepted
        url = await younger.make(name)
        await run_program("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(dump))
        async with stage_in(url, nats) as stage:
            stage.accepted = accepted
            yield stage

    return restore


async def go_on(stage: Stage) -> None:
    """Go on after the restore: first without a relay, then with it."""
    aggregates = {aggregate for aggregate, version in stage.accepted if version == 3}
    await stage.accept(*[(one, 4) for one in aggregates])
    async with running(stage.worker(effects_consumer())):
        await stage.accept(*[(one, 5) for one in aggregates])
        await stage.until_published()
        await asyncio.sleep(1)  # the relay looks twenty times a second
        await stage.until_acknowledged()


async def test_after_a_restored_dump_the_old_goes_first_and_the_new_under_a_new_epoch(restored: Restored) -> None:
    async with restored(pending=True) as stage:
        await go_on(stage)
        assert await stage.differences() == []
        assert await stage.value("select epoch from outbox_state") == 2


async def test_without_a_new_epoch_what_follows_a_restored_dump_is_never_published(
    restored: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.epoch_stays_after_restore(monkeypatch.setattr)
    async with restored(pending=False) as stage:
        await go_on(stage)
        assert any("60 in the outbox, and not in the stream" in one for one in await stage.differences())
