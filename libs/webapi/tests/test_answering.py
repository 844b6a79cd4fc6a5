"""How an answer leaves: head and body by one system call where the server may, and by uvicorn where it has to look."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from testkit.listening import listener
from webapi.bounded_http import BoundedProtocol
from webapi.problems import Problems
from webapi.processes import Process
from webapi.requests import RequestHandling


def _pieces() -> Iterator[bytes]:
    yield b"one "
    yield b"two"


class _Broken(Response):
    """Begins an answer, and fails before its body."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        raise RuntimeError


ANSWERS = {
    "/plain": Response(b"whole"),
    "/empty": Response(status_code=204),
    "/pieces": StreamingResponse(_pieces()),
    "/last": Response(b"last", headers={"connection": "close"}),
    "/two-lines": Response(b"", headers={"x-told": "a\r\nset-cookie: b"}),
    "/broken": _Broken(b"never"),
}


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await ANSWERS[scope["path"]](scope, receive, send)


class _Counting:
    """A transport that counts what is written to it, piece by piece."""

    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(bytes(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@pytest.fixture
def written() -> list[bytes]:
    """Everything that the server has written, piece by piece."""
    return []


@pytest_asyncio.fixture
async def port(written: list[bytes]) -> AsyncIterator[int]:
    class Protocol(BoundedProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
            super().connection_made(_Counting(transport, written))  # type: ignore[arg-type] # in all that is used of it

    with listener() as listening:
        server = Process(RequestHandling(_application, Problems({})), http_protocol=Protocol)._server
        serving = asyncio.create_task(server.serve([listening]))
        await server.is_up.wait()
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def answers_to(port: int, *requests: str) -> str:
    """Send requests at once on one connection, the last of which ends it, and give all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("".join(f"{request} HTTP/1.1\r\nhost: x\r\n\r\n" for request in requests).encode())
    async with asyncio.timeout(20):
        told = await reader.read()
    writer.close()
    return told.decode()


@pytest.mark.parametrize(
    ("request_line", "status", "body"),
    [("GET /plain", 200, "whole"), ("HEAD /plain", 200, ""), ("GET /empty", 204, "")],
)
async def test_head_and_body_are_written_by_one_call(
    port: int, written: list[bytes], request_line: str, status: int, body: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{request_line} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    async with asyncio.timeout(20):
        await reader.readuntil(b"\r\n\r\n")
    writer.close()
    [told] = [each.decode() for each in written]
    assert told.startswith(f"HTTP/1.1 {status} ")
    assert told.endswith(f"\r\n\r\n{body}")
    assert ("content-length: 5\r\n" in told) == (status == 200)
    assert "cache-control: no-store\r\n" in told


async def test_pieces_are_sent_as_they_come(port: int) -> None:
    told = await answers_to(port, "GET /pieces", "GET /last")
    assert "transfer-encoding: chunked\r\n" in told
    assert "4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n" in told


async def test_requests_sent_at_once_are_answered_in_their_order_and_the_last_ends_the_connection(port: int) -> None:
    told = await answers_to(port, "GET /plain", "HEAD /plain", "GET /empty", "GET /plain", "GET /last")
    assert re.findall(r"HTTP/1\.1 (\d+)", told) == ["200", "200", "204", "200", "200"]
    assert told.endswith("\r\n\r\nlast")


async def test_a_header_of_two_lines_is_never_sent(port: int) -> None:
    assert "set-cookie" not in await answers_to(port, "GET /two-lines")


async def test_what_fails_before_its_body_is_answered_with_a_problem(port: int) -> None:
    told = await answers_to(port, "GET /broken", "GET /last")
    assert told.startswith("HTTP/1.1 500 ")
    assert '"/problems/internal"' in told
    assert told.endswith("\r\n\r\nlast")
