"""The gateway with its door on a real socket, any number of them on one database, and who listens there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import orjson
import uvicorn

from database import Database
from gateway.app import SERVICE
from gateway.change_log import Row, write
from gateway.changes.live import Live
from gateway.changes.queries import DONE
from gateway.quotas.keeping import kept
from testkit.tokens import TokenIssuer
from webapi import Application

from ..in_process import settings_of

ME, OTHER = UUID(int=71), UUID(int=72)
MINE = f"person:{ME}"
PATIENCE_SECONDS = 60.0


class Served(NamedTuple):
    """A gateway that is up, and a client of it."""

    application: Application
    client: httpx.AsyncClient
    server: uvicorn.Server

    @property
    def live(self) -> Live:
        live: Live = self.application.state.live
        return live


@asynccontextmanager
async def served(
    database_url: str, issuer: TokenIssuer, *, urls: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    """Serve for the length of the block; services that `urls` do not name are away; a test tells of revocations."""
    application = SERVICE.application(settings_of(database_url, issuer, urls=urls))
    quotas: Any = application.checks["quotas"]
    application.hooks = [kept(quotas.__self__, application.database), application.state.live.running]
    assert application.front is not None
    config = uvicorn.Config(
        application.front(application),
        http=application.http_protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    limits = httpx.Limits(max_connections=None)
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20, limits=limits) as client:
            yield Served(application, client, server)
    finally:
        server.should_exit = True
        await serving
        listener.close()


class Event(NamedTuple):
    """One event of a stream."""

    event: str
    id: str | None
    data: dict[str, Any]


class Stream:
    """A stream that is open; `next` gives its next event, None at its end."""

    def __init__(self, answer: httpx.Response) -> None:
        self.headers = answer.headers
        self._lines = answer.aiter_lines()

    async def next(self, seconds: float = 10) -> Event | None:
        fields: dict[str, str] = {}
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line and "event" in fields:
                    return Event(fields["event"], fields.get("id"), orjson.loads(fields["data"]))
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
        return None


@asynccontextmanager
async def listening(
    gateway: Served, headers: dict[str, str], *, after: str | None = None, joined: bool = True
) -> AsyncIterator[Stream]:
    """Open a stream and wait until it is joined."""
    known = len(gateway.live._listeners)
    resumed = {} if after is None else {"Last-Event-ID": after}
    async with gateway.client.stream("GET", "/v1/events", headers=headers | resumed) as answer:
        assert answer.status_code == 200, await answer.aread()
        while joined and len(gateway.live._listeners) == known:
            await asyncio.sleep(0.01)
        yield Stream(answer)


def row(number: int, version: int = 1, *, audience: str = MINE, gone: bool = False, scope: str = "cases") -> Row:
    return Row(scope, UUID(int=number), audience, version, gone, part=False)


async def log(database: Database, *rows: Row) -> int:
    """Write rows in one transaction, wait until they can be read, and give its id."""
    written = await logged(database, *rows)
    await until_read(database)
    return written


async def logged(database: Database, *rows: Row) -> int:
    """Write rows in one transaction, and give its id."""
    async with database.raw_transaction() as connection:
        await write(connection, "change", rows)
        written: int = await connection.fetchval("select pg_current_xact_id()")
    return written


async def until_read(database: Database) -> None:
    """Wait until the log is read past all that was written until now.

    Whatever writes in any database of the server holds that back for as long as it is open: other tests do.
    """
    async with asyncio.timeout(PATIENCE_SECONDS), database.look() as connection:
        end = await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())")
        while await connection.fetchval(f"select {DONE}") < end:
            await asyncio.sleep(0.01)


async def changes(gateway: Served, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    """Ask for changes."""
    answer = await gateway.client.get("/v1/sync/changes", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
