"""A served request leaves nothing for the collector, whatever became of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from testkit.leftovers import uncollected
from testkit.listening import listener
from webapi import Application
from webapi.bounded_http import BoundedProtocol
from webapi.processes import Process

REQUESTS = 20


@pytest_asyncio.fixture
async def port(application: Application) -> AsyncIterator[int]:
    with listener() as listening:
        server = Process(application, http_protocol=BoundedProtocol)._server
        serving = asyncio.create_task(server.serve([listening]))
        await server.is_up.wait()
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


def _plant(kind: str = "apple") -> str:
    return json.dumps({"tree_id": str(uuid4()), "kind": kind})


@pytest.mark.parametrize(
    ("asked", "body", "status"),
    [
        ("GET /v1/trees", None, 200),
        ("HEAD /v1/trees", None, 200),
        ("POST /v1/trees", "apple", 201),
        ("POST /v1/trees/felled", "apple", 409),
        ("POST /v1/trees", "", 422),
        (f"GET /v1/trees/{UUID(int=1)}", None, 409),
        ("GET /v1/nowhere", None, 404),
        ("DELETE /v1/nowhere", None, 404),
    ],
)
async def test_a_request_leaves_nothing_for_the_collector(
    port: int, headers: dict[str, str], asked: str, body: str | None, status: int
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with uncollected(RequestResponseCycle) as left:
        for _ in range(REQUESTS):
            sent = "" if body is None else _plant(body)
            framing = f"content-type: application/json\r\ncontent-length: {len(sent)}\r\n" if sent else ""
            writer.write(f"{asked} HTTP/1.1\r\nhost: x\r\n{lines}{framing}\r\n{sent}".encode())
            async with asyncio.timeout(20):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                assert head.startswith(f"HTTP/1.1 {status} "), head
                length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
                if not asked.startswith("HEAD"):
                    await reader.readexactly(length)
        left_over = left()
    writer.close()
    assert left_over <= 2, "what was served last, and what may be on its way"
