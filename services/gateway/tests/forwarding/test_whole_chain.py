"""From a client over the door and a service to its query: what ends at one end is ended at the other."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio
from fastapi import APIRouter, Request, Response

from database import Database, asyncpg_dsn, raw
from gateway.forwarding.routing import Route
from testkit.listening import listener
from testkit.tokens import TokenIssuer
from webapi import Application, Authenticator, access, described
from webapi.processes import Process

from ..in_process import settings_of
from .door import Door, opened

router = APIRouter(prefix="/v1/courses")
RUNNING = """
select count(*) from pg_stat_activity
where datname = current_database() and query = 'select pg_sleep(30)' and state = 'active'
"""


@router.put("", openapi_extra=access("public") | described("慢", "Slow", example={}))
async def slow(request: Request) -> Response:
    """Write, and take half a minute in the database for what follows."""
    async with request.app.database.transaction() as session:
        await (await raw(session)).execute("create table kept (id int)")
        await (await raw(session)).execute("select pg_sleep(30)")
    return Response(status_code=204)


@pytest_asyncio.fixture
async def chain(
    database_url: str, issuer: TokenIssuer, authenticator: Authenticator, token: str
) -> AsyncIterator[Door]:
    """A door before a service on a real socket and a real database."""
    application = Application(
        "learning",
        title="Learning",
        settings=settings_of(database_url, issuer),
        database=Database(database_url, application_name="learning"),
        routers=[router],
    )
    with listener() as listening:
        server = Process(application)._server
        serving = asyncio.create_task(server.serve([listening]))
        await server.is_up.wait()
        urls = {"learning": f"http://127.0.0.1:{listening.getsockname()[1]}"}
        async with opened([Route("/v1/courses", "learning")], urls, authenticator, token) as door:
            yield door
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def beside(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    yield connection
    await connection.close()


async def running(connection: asyncpg.Connection, count: int, seconds: float) -> None:
    """Wait until so many of the queries run."""
    async with asyncio.timeout(seconds):
        while await connection.fetchval(RUNNING) != count:
            await asyncio.sleep(0.02)


async def test_the_query_of_a_client_that_left_is_gone_within_a_second(chain: Door, beside: asyncpg.Connection) -> None:
    wire = await chain.wire()
    await wire.send(chain.head("PUT /v1/courses", "content-length: 2"), b"{}")
    await running(beside, 1, 10)
    await wire.close()
    await running(beside, 0, 1)
    assert await beside.fetchval("select to_regclass('kept')") is None


async def test_a_slow_query_ends_with_the_time_of_who_asked(chain: Door, beside: asyncpg.Connection) -> None:
    reply = await chain.ask("PUT /v1/courses", "prefer: wait=1", body=b"{}")
    assert (reply.status, reply.problem["type"], reply.problem["service"]) == (
        504,
        "/problems/service_slow",
        "learning",
    )
    assert int(reply.header("retry-after") or 0) >= 2
    await running(beside, 0, 0.5)
    assert await beside.fetchval("select to_regclass('kept')") is None
