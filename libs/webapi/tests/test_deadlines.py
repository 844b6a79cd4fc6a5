"""A request is worked on until its deadline, and no longer than its client is there; so are its queries."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import httpx
import pytest
import pytest_asyncio
from libs.webapi.tests.orchard.application import Settings, create_application

from database import asyncpg_dsn, new_id
from testkit.listening import listener
from webapi.processes import Process

SLEEPS = "select count(*) from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(30)'"
RUNNING = f"{SLEEPS} and state <> 'idle'"


@pytest_asyncio.fixture
async def beside(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection that looks at what the service does in its database."""
    connection = await asyncpg.connect(asyncpg_dsn(settings.database_url))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def port(settings: Settings) -> AsyncIterator[int]:
    """The small service on a real socket."""
    application = create_application(settings)
    with listener() as listening:
        server = Process(application)._server
        serving = asyncio.create_task(server.serve([listening]))
        await server.is_up.wait()
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


def body(kind: str) -> bytes:
    return json.dumps({"tree_id": str(new_id()), "kind": kind}).encode()


async def within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that nobody tells, for so long at most."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.02)


async def planted(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("select count(*) from tree"))


async def test_a_slow_query_ends_by_the_deadline_and_its_command_takes_no_effect(
    client: httpx.AsyncClient, headers: dict[str, str], beside: asyncpg.Connection
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked = {**headers, "x-xiangqiao-deadline": "400", "content-type": "application/json"}
    answer = await client.post("/v1/trees", content=body("sleeping"), headers=asked)
    assert loop.time() - began < 5
    assert (answer.status_code, answer.json()["type"]) == (504, "/problems/service_slow")
    assert answer.json()["service"] == "orchard"
    assert int(answer.headers["retry-after"]) > 0
    assert await beside.fetchval(RUNNING) == 0
    assert await planted(beside) == 0


@pytest.mark.parametrize("leaves", ["before its answer", "never"])
async def test_who_leaves_takes_the_query_along(
    port: int, headers: dict[str, str], beside: asyncpg.Connection, leaves: str
) -> None:
    content = body("sleeping" if leaves != "never" else "slow")
    lines = {"host": "x", "content-type": "application/json", "content-length": str(len(content)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /v1/trees HTTP/1.1\r\n{head}\r\n".encode() + content)
    if leaves == "never":
        assert b" 201 " in await reader.readline()
    else:
        await within(10, lambda: beside.fetchval(f"select ({RUNNING}) > 0"))
    writer.transport.abort()
    await within(1, lambda: beside.fetchval(f"select ({RUNNING}) = 0"))
    assert await planted(beside) == (1 if leaves == "never" else 0)


async def test_an_answer_under_way_has_no_deadline(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/trees/growing", headers={"x-xiangqiao-deadline": "200"})
    assert answer.content == b"rootleaf"


async def test_the_time_begins_when_the_body_is_whole(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    content = body("slow")

    async def pieces() -> AsyncIterator[bytes]:
        yield content[:5]
        await asyncio.sleep(1.2)
        yield content[5:]

    asked = {**headers, "x-xiangqiao-deadline": "1000", "content-type": "application/json"}
    assert (await client.post("/v1/trees", content=pieces(), headers=asked)).status_code == 201


@pytest.mark.parametrize("said", ["", "soon", "-1", "1e9", "99999999"])
async def test_a_deadline_that_is_none_bounds_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], said: str
) -> None:
    assert (await client.get("/v1/trees", headers={**headers, "x-xiangqiao-deadline": said})).status_code == 200
