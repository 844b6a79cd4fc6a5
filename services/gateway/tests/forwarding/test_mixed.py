"""A thousand requests of every kind at once: each gets its own answer, and nothing is left open behind them."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.forwarding.limits import Limits
from gateway.forwarding.routing import Route
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import PATIENT, Door, Reply, opened
from .raw_service import Asked, RawService, Talk, answering, until

TIMES = replace(PATIENT, watch_after=0.02)
SILENT = replace(TIMES, first_byte=0.3)
LIMITS = Limits(connections=8, waiting=1024, idle_seconds=0.3, sweep_seconds=0.02)


CHANCE = random.Random(20261123)  # noqa: S311 - a mixture, not a secret


async def misbehave(talk: Talk, asked: Asked) -> None:
    """Answer as the path asks; the path's last segment is the request's own number."""
    _, kind, number = asked.target.rsplit(b"/", 2)
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(number) + number
    if kind == b"cut":
        await talk.say(whole[:-1])
    elif kind == b"reset":
        await talk.say(whole[:-1])
        talk.reset()
        return
    elif kind == b"silent":
        await talk.ended()
    elif kind == b"broken":
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n")
    elif kind == b"close":
        await talk.say(whole.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1))
    elif kind == b"extra":
        await talk.say(whole, whole)
    elif kind != b"drop":
        await talk.say(whole)
    if kind in {b"cut", b"drop", b"close"}:
        talk.writer.close()


api = FastAPI()


@api.api_route("/v1/members/echo/{number}", methods=["POST", "PUT"])
async def echo(request: Request, number: str) -> Response:
    return Response(await request.body() + number.encode())


@api.get("/v1/members/stream/{number}")
async def stream(number: str) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for digit in number:
            yield digit.encode()
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


@asynccontextmanager
async def uvicorn_service() -> AsyncIterator[str]:
    """Run `api` as services do."""
    config = uvicorn.Config(api, http="httptools", ws="none", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpToolsProtocol(config, state, {}), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def one(door: Door, kind: str, number: str) -> None:
    """Make one request of a kind and check that the answer is its own."""
    line = f"GET /v1/{'silent' if kind == 'silent' else 'courses'}/{kind}/{number}"
    if kind in {"echo", "chunked echo"}:
        line = f"PUT /v1/members/echo/{number}"
        body = CHANCE.randbytes(CHANCE.choice((10, 3_000, 200_000)))
        if kind == "echo":
            reply = await door.ask(line, body=body)
        else:
            coded = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:7], body[7:]))
            reply = await door.raw(door.head(line, "transfer-encoding: chunked") + coded + b"0\r\n\r\n", "PUT")
        is_own = reply.body == body + number.encode()  # not compared by pytest: it would describe every byte
        assert (reply.status, reply.complete, is_own) == (200, True, True)
    elif kind == "stream":
        reply = await door.ask(f"GET /v1/members/stream/{number}")
        assert (reply.status, reply.body, reply.complete) == (200, number.encode(), True)
    elif kind == "refused":
        assert (await door.ask(line, token=False)).status == 401
    elif kind in {"left", "silent left"}:
        wire = await door.wire()
        await wire.send(door.head(f"GET /v1/courses/{'silent' if kind == 'silent left' else 'ok'}/{number}"))
        await asyncio.sleep(CHANCE.choice((0, 0, 0.001, 0.05)))
        await wire.close()
    elif kind == "half body":
        wire = await door.wire()
        await wire.send(door.head(f"PUT /v1/members/echo/{number}", "content-length: 10"), b"half")
        await asyncio.sleep(CHANCE.choice((0, 0.01)))
        await wire.close()
    else:
        check(await door.ask(line), kind, number)


def check(reply: Reply, kind: str, number: str) -> None:
    """Check the answer of the misbehaving service."""
    if kind in {"broken", "drop"}:
        assert reply.status == 502
    elif kind == "silent":
        assert reply.status == 504
    elif kind in {"cut", "reset"}:
        assert reply.status == 502 or (reply.status == 200 and not reply.complete)
    else:
        assert (reply.status, reply.body, reply.complete) == (200, number.encode(), True)


KINDS = (
    *("ok",) * 20,
    *("echo", "chunked echo", "stream") * 6,
    *("cut", "reset", "broken", "close", "extra", "drop", "refused", "left", "silent left", "half body", "silent"),
)


def open_files() -> int:
    """Count the file descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def thousand(issuer: TokenIssuer) -> None:
    """Run the mixture and look at what is left."""
    tasks_before = len(asyncio.all_tasks())
    authenticator = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
    routes = (
        Route("/v1/courses", "learning", timeouts=TIMES),
        Route("/v1/silent", "learning", timeouts=SILENT),
        Route("/v1/members", "members", timeouts=TIMES),
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(authenticator.close)
        raw = await stack.enter_async_context(RawService(misbehave))
        members = await stack.enter_async_context(uvicorn_service())
        upstreams = {"learning": raw.url, "members": members}
        async with opened(routes, upstreams, authenticator, issuer.token(uuid4()), limits=LIMITS) as door:
            await one(door, "ok", "0")
            files_before = open_files()
            numbers = iter(range(1, 1001))

            async def worker() -> None:
                for number in numbers:
                    await one(door, CHANCE.choice(KINDS), str(number))

            async with asyncio.TaskGroup() as workers:  # one that fails ends the others, so that none goes on elsewhere
                for _ in range(24):
                    workers.create_task(worker())
            pools = door.upstreams.values()
            await until(lambda: not any(pool.open + pool.waiting for pool in pools))
            await raw.settled(0)
            assert open_files() <= files_before
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before)


async def test_a_thousand_mixed_requests_leave_nothing_behind(issuer: TokenIssuer) -> None:
    await thousand(issuer)


async def test_a_thousand_mixed_requests_leave_nothing_behind_on_uvloop(issuer: TokenIssuer) -> None:
    await asyncio.to_thread(uvloop.run, thousand(issuer))


_GOOD = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 304 Not Modified\r\netag: 1\r\n\r\n",
]
_MUTATION = st.tuples(
    st.integers(0, 120), st.integers(0, 4), st.sampled_from([b"", b"\r\n", b"\0", b"0", b" ", b"x: y"])
)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=st.tuples(st.sampled_from(_GOOD), st.lists(_MUTATION, max_size=3), st.integers(1, 60)))
async def test_whatever_a_service_answers_the_client_reads_valid_http(
    door: Door, service: RawService, method: str, answer: tuple[bytes, list[tuple[int, int, bytes]], int]
) -> None:
    data, mutations, pause = answer
    for at, length, put in mutations:
        data = data[:at] + put + data[at + length :]

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(data[:pause])
        await asyncio.sleep(0)
        await talk.say(data[pause:])
        talk.writer.close()

    service.behave = behave
    reply = await door.ask(f"{method} /v1/courses")
    assert reply.status >= 200
    if reply.status == 200 and reply.complete and method == "GET" and not mutations:
        assert reply.body == b"hello"
    service.behave = answering(_GOOD[0])
    assert (await door.ask("GET /v1/courses")).body == b"hello"
    assert service.errors == []
