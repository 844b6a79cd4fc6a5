"""A job that rests asks for next to nothing, and is awake at once when there is something to do.

A commit anywhere in the cluster wakes it, so this one has a cluster in which nobody else is.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
import pytest_asyncio

from background import Job, Locks, RunningJob
from database import Database, utc_now
from standalone import processes
from standalone.postgres import FOR_TESTS, PostgresServer

from .conftest import make_letters

EVERY = timedelta(seconds=0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    folder: Path = tmp_path_factory.mktemp("resting")
    settings = {**FOR_TESTS, "autovacuum": "off"}
    made = PostgresServer(
        folder / "data", port=processes.free_port(), password="secret", log=folder / "log", settings=settings
    )
    made.start()
    yield made
    made.stop()


@pytest_asyncio.fixture
async def database_url(server: PostgresServer) -> str:
    connection = await asyncpg.connect(server.url())
    await connection.execute("drop database if exists resting with (force)")
    await connection.execute("create database resting")
    await connection.close()
    await make_letters(server.url("resting"))
    return server.url("resting")


class Looking:
    """Looks for letters, and notes when; `next_at` is what it gives."""

    def __init__(self) -> None:
        self.runs: list[float] = []
        self.next_at: datetime | None = None

    async def __call__(self, _: Database) -> datetime | None:
        self.runs.append(monotonic())
        return self.next_at

    async def until_it_rests(self) -> int:
        """Wait until it has not run for a second, and give how often it has run."""
        async with asyncio.timeout(15):
            while not self.runs or monotonic() - self.runs[-1] < 1.0:
                await asyncio.sleep(0.05)
        return len(self.runs)

    async def runs_again(self, before: int, *, within: float) -> None:
        """Wait until it has run more often than that; raises `TimeoutError` when that is not soon."""
        async with asyncio.timeout(within):
            while len(self.runs) <= before:
                await asyncio.sleep(0.01)


@pytest.fixture
def looking() -> Looking:
    return Looking()


@asynccontextmanager
async def working(locks: Locks, *jobs: RunningJob) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop)) for run in (*(job.run for job in jobs), locks.run)]
    try:
        yield
    finally:
        stop.set()
        stopped_at = monotonic()
        await asyncio.gather(*tasks, return_exceptions=True)
        await locks.close()
        assert monotonic() - stopped_at < 1.5  # whoever rests is woken


@pytest.fixture
def resting(database: Database, looking: Looking) -> Callable[[], tuple[Locks, RunningJob]]:
    def make() -> tuple[Locks, RunningJob]:
        locks = Locks(database)
        return locks, RunningJob(Job("look", EVERY, looking, rests=True), database, locks)

    return make


async def statements_of(database: Database, seconds: float) -> int:
    """Count what this database is asked meanwhile: without a transaction each statement is one of its own."""
    asked = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
    async with database.look() as connection:
        await asyncio.sleep(1.2)  # sessions tell of what they did once a second
        before = await connection.fetchval(asked)
        await asyncio.sleep(seconds)
        return int(await connection.fetchval(asked) - before)


async def test_at_rest_a_job_of_each_moment_does_not_run_and_little_is_asked(
    database: Database, looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    async with working(locks, job):
        before = await looking.until_it_rests()
        asked = await statements_of(database, 4.0)
        assert (len(looking.runs), asked <= 6) == (before, True), asked


async def test_a_commit_wakes_it_at_once_however_it_was_made(
    database: Database, database_url: str, looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    async with working(locks, job):
        before = await looking.until_it_rests()
        connection = await asyncpg.connect(database_url)
        await connection.execute("insert into letter values (1, now(), 0, false)")
        await looking.runs_again(before, within=1.0)
        await connection.close()


async def test_a_commit_wakes_it_also_while_an_older_transaction_is_open(
    database_url: str, database: Database, looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    older = await asyncpg.connect(database_url)
    async with working(locks, job), older.transaction():
        await older.execute("insert into letter values (1, now(), 0, false)")
        before = await looking.until_it_rests()
        async with database.raw_transaction() as connection:
            await connection.execute("insert into letter values (2, now(), 0, false)")
        await looking.runs_again(before, within=1.0)
    await older.close()


async def test_it_sleeps_until_the_time_that_its_run_gave(
    looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    async with working(locks, job):
        await looking.until_it_rests()
        looking.next_at = utc_now() + timedelta(seconds=3)
        locks.commits.tell()
        await asyncio.sleep(0.5)
        before = len(looking.runs)
        await looking.runs_again(before, within=3.5)
        assert utc_now() >= looking.next_at


async def test_it_looks_now_and_then_though_nobody_told_of_anything(
    monkeypatch: pytest.MonkeyPatch, looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    monkeypatch.setattr("background.jobs.RESTING_SECONDS", 2.0)
    looking.next_at = utc_now() + timedelta(days=1)  # the clock was set meanwhile
    locks, job = resting()
    async with working(locks, job):
        await looking.runs_again(await looking.until_it_rests(), within=3.0)


async def test_while_nobody_watches_it_runs_as_often_as_it_may(
    looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    async with working(locks, job):
        before = await looking.until_it_rests()
        locks.commits.cease()
        await looking.runs_again(before + 5, within=2.0)


async def test_a_lost_session_is_told_to_whoever_rests(
    database: Database, looking: Looking, resting: Callable[[], tuple[Locks, RunningJob]]
) -> None:
    locks, job = resting()
    async with working(locks, job):
        before = await looking.until_it_rests()
        async with database.raw_transaction() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                " and database = (select oid from pg_database where datname = current_database())"
            )
        async with asyncio.timeout(2):
            while locks._connection is not None:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        assert len(looking.runs) <= before + 1  # it is no leader any more
