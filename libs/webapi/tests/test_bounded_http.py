"""What a service's own server bounds before a request reaches its application."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from testkit.listening import listener
from webapi.processes import Process

CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    more, size = True, 0
    while more:
        message = await receive()
        more, size = message.get("more_body", False), size + len(message.get("body", b""))
    told = f"{size} {sorted(name.decode() for name, _ in scope['headers'])}".encode()
    headers = [(b"content-length", b"%d" % len(told))]
    if scope["path"] != "/more":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    """An application on the server that all services have."""
    with listener() as listening:
        server = Process(_application)._server
        serving = asyncio.create_task(server.serve([listening]))
        await server.is_up.wait()
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


async def answer_to(port: int, *pieces: bytes, wait: float = 0.02) -> str:
    """Send pieces until the answer is there: what came after it would take it away again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = asyncio.create_task(reader.read())
    for piece in pieces:
        writer.write(piece)
        await asyncio.wait([answered], timeout=wait)
        if answered.done():
            break
    async with asyncio.timeout(5):
        told = (await answered).decode()
    writer.close()
    return told


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0", "9.9"])
async def test_another_version_is_505(port: int, version: str) -> None:
    told = await answer_to(port, f"GET / HTTP/{version}\r\nhost: x\r\naccept-language: en\r\n\r\n".encode())
    assert told.startswith("HTTP/1.1 505 ")
    assert "/problems/version_not_supported" in told
    assert (await answer_to(port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).startswith("HTTP/1.1 505 ")
    assert (await answer_to(port, b"GET / HTTP/1.0\r\n\r\n")).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "piece", [b"1;" + b"x" * 8000 + b"\r\nx\r\n", b"0" * 8000 + b"1\r\nx\r\n"], ids=["ext", "zeros"]
)
async def test_what_frames_a_body_is_bounded(port: int, piece: bytes) -> None:
    assert (await answer_to(port, CHUNKED, *[piece] * 20)).startswith("HTTP/1.1 431 ")
    assert "\r\n\r\n3 [" in await answer_to(port, CHUNKED, *[piece] * 3, b"0\r\n\r\n")


@pytest.mark.parametrize("read", [100_000, 5_000, 1_000], ids=["at once", "in reads", "in small reads"])
@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + b"1;" + b"x" * 100_000 + b"\r\nx\r\n0\r\n\r\n",
        CHUNKED + (b"1;" + b"x" * 5_000 + b"\r\nx\r\n") * 20 + b"0\r\n\r\n",
        CHUNKED + b"0" * 100_000 + b"1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nx\r\n0\r\n" + b"x-trailer: x\r\n" * 7_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost:" + b" " * 100_000 + b"x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" + b"\r\n" * 50_000,
    ],
    ids=["extension", "extensions", "zeros", "trailers", "blanks", "empty lines"],
)
async def test_what_is_nothing_of_a_message_is_bounded_however_it_is_read(port: int, sent: bytes, read: int) -> None:
    pieces = [sent[start : start + read] for start in range(0, len(sent), read)]
    told = await answer_to(port, *pieces, wait=0.001)
    if sent.endswith(b"\n\r\n\r\n"):  # what follows a request takes nothing from it
        assert told.startswith("HTTP/1.1 200 ")
    else:
        assert told.startswith("HTTP/1.1 431 ")


async def test_many_chunks_and_many_requests_pass_that_have_little_beside_what_they_say(port: int) -> None:
    tiny = CHUNKED + b"1\r\nx\r\n" * 60_000 + b"0\r\n\r\n"
    assert "\r\n\r\n60000 [" in await answer_to(port, tiny)
    more = CHUNKED.replace(b" / ", b" /more ") + b"1\r\nx\r\n0\r\n\r\n"
    told = await answer_to(port, more * 3_000 + CHUNKED + b"0\r\n\r\n")
    assert told.count("HTTP/1.1 200 ") == told.count("\r\n\r\n1 [") + 1 == 3_001


async def test_trailers_are_bounded_and_are_no_headers(port: int) -> None:
    trailer = b"x-trailer: " + b"x" * 8000 + b"\r\n"
    assert (await answer_to(port, CHUNKED, b"1\r\nx\r\n0\r\n", *[trailer] * 20)).startswith("HTTP/1.1 431 ")
    told = await answer_to(port, CHUNKED, b"1\r\nx\r\n0\r\n", trailer, b"\r\n")
    assert told.endswith("1 ['host', 'transfer-encoding']")


async def test_a_head_is_bounded(port: int) -> None:
    for head in (b"x-long: " + b"x" * 70_000, b"\r\n".join(b"x-%d: 1" % number for number in range(250))):
        assert (await answer_to(port, b"GET / HTTP/1.1\r\nhost: x\r\n" + head + b"\r\n\r\n")).startswith("HTTP/1.1 431")
    assert (await answer_to(port, b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 414")
