"""Servers, databases and a little arithmetic that measurements share: the embedded servers with durable settings."""

import asyncio
import contextlib
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

import audit
from database import Database
from database import migrations as service_migrations
from messaging import NatsConnection, connect, streams
from standalone import processes
from standalone.nats import NatsAccount, NatsServer, NatsUser
from standalone.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """What one measurement has: a PostgreSQL server, an account of a NATS server, and a folder.

    `share` is how much of the measurement is to be done: 1, or less where it only has to run.
    """

    postgres: PostgresServer
    nats_url: str
    folder: Path
    share: float

    def of(self, count: int, least: int = 1) -> int:
        """Give how many of `count` things to do, `least` at the least."""
        return max(least, round(count * self.share))

    def seconds(self, seconds: float) -> float:
        """Give how long to do something that takes so many seconds in full."""
        return max(0.2, seconds * self.share)

    async def database_url(self, name: str) -> str:
        """Make an empty database and give its address."""
        connection = await asyncpg.connect(self.postgres.url())
        await connection.execute(f"drop database if exists {name} with (force)")
        await connection.execute(f"create database {name}")
        await connection.close()
        return self.postgres.url(name)

    async def migrated(self, service: str) -> str:
        """Make the database of a service and give its address."""
        url = await self.database_url(service)
        await audit.provision(url)
        await service_migrations.upgrade(url, ROOT / "services" / service / "migrations")
        return url

    @asynccontextmanager
    async def database(self, url: str) -> AsyncIterator[Database]:
        """Open a database for the length of the block."""
        opened = Database(url, application_name="bench")
        try:
            yield opened
        finally:
            await opened.close()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[NatsConnection]:
        """Connect to NATS for the length of the block."""
        connection = await connect(self.nats_url, name="bench")
        try:
            yield connection
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def opened_stages(names: Iterable[str], *, share: float = 1) -> AsyncIterator[dict[str, Stage]]:
    """Start both servers as a standalone system runs them, with a stage for each name, and stop them at the end.

    Each has identity's stream, without which no API is ready, and sees nothing of the streams of the others.
    """
    with tempfile.TemporaryDirectory(prefix="xiangqiao-bench-") as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        password = secrets.token_urlsafe()
        postgres = PostgresServer(
            folder / "postgres", port=processes.free_port(), password=password, log=folder / "postgres.log"
        )
        accounts = [NatsAccount(name, (NatsUser(name, password),)) for name in names]
        nats = NatsServer(folder / "nats", port=processes.free_port(), accounts=accounts, log=folder / "nats.log")
        await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        await asyncio.to_thread(nats.start)
        stack.callback(nats.stop)
        stages = {name: Stage(postgres, nats.url(name), folder / f"of-{name}", share) for name in names}
        for stage in stages.values():
            stage.folder.mkdir()
            async with stage.connected() as connection:
                await streams.declare_stream(connection, "identity")
        yield stages


async def rate(count: int, work: Callable[[], Awaitable[object]]) -> float:
    """Do `work` once and give how many of `count` things a second it did."""
    began = time.perf_counter()
    await work()
    return count / (time.perf_counter() - began)


async def median_pair(
    rounds: int, first: Callable[[], Awaitable[float]], second: Callable[[], Awaitable[float]]
) -> tuple[float, float]:
    """Measure two things in turn and give the median of each: what drifts, drifts for both."""
    pairs = [(await first(), await second()) for _ in range(rounds)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of all threads of a process: the first number of each one's `schedstat`, in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def percentile(values: list[float], share: float) -> float:
    """Give the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
