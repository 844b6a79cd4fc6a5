"""Servers, databases and a little arithmetic that measurements share: the embedded servers with durable settings."""

import asyncio
import contextlib
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

import audit
from database import Database
from database import migrations as service_migrations
from messaging import NatsConnection, connect
from standalone import processes
from standalone.nats import NatsAccount, NatsServer, NatsUser
from standalone.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stage:
    """A PostgreSQL and a NATS server of this measurement alone, as a standalone system runs them."""

    postgres: PostgresServer
    nats: NatsServer
    folder: Path

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
        connection = await connect(self.nats.url("bench"), name="bench")
        try:
            yield connection
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def opened_stage() -> AsyncIterator[Stage]:
    """Start both servers, and stop them at the end."""
    with tempfile.TemporaryDirectory(prefix="xiangqiao-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        password = secrets.token_urlsafe()
        postgres = PostgresServer(
            folder / "postgres", port=processes.free_port(), password=password, log=folder / "postgres.log"
        )
        account = NatsAccount("BENCH", (NatsUser("bench", password),))
        nats = NatsServer(folder / "nats", port=processes.free_port(), accounts=[account], log=folder / "nats.log")
        await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        await asyncio.to_thread(nats.start)
        stack.callback(nats.stop)
        yield Stage(postgres, nats, folder)


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


def percentile(values: list[float], share: float) -> float:
    """Give the value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
