"""Bodies that come as gzip reach the service plain, and nothing that is none, or a bomb, reaches it at all."""

import asyncio
import gzip
import os
import random
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.forwarding.failures import BodyNotGzip, BodyTooDense
from gateway.forwarding.inflating import inflated
from gateway.forwarding.limits import MIB
from gateway.forwarding.routing import Route
from gateway.forwarding.slow_clients import PLACE
from webapi import Authenticator
from webapi.problems import Problems
from webapi.requests import RequestHandling

from .door import Door, Reply, opened
from .raw_service import RawService
from .test_gzip_answers import JSON

CODED = "content-encoding: gzip"
PACKED = gzip.compress(JSON)


async def _sent(door: Door, body: bytes, *headers: str, path: str = "/v1/courses") -> Reply:
    return await door.ask(f"POST {path}", *(headers or (CODED,)), body=body)


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip"])
async def test_the_service_reads_it_plain(door: Door, service: RawService, coding: str) -> None:
    assert (await _sent(door, PACKED, f"content-encoding: {coding}")).status == 200
    asked = service.asked[0]
    assert (asked.body, asked.header(b"content-encoding")) == (JSON, None)


async def test_several_members_are_one_body(door: Door, service: RawService) -> None:
    assert (await _sent(door, PACKED + gzip.compress(b"") + PACKED)).status == 200
    assert service.asked[0].body == JSON * 2


async def test_a_body_that_comes_byte_by_byte_or_in_chunks(door: Door, service: RawService) -> None:
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", CODED, "transfer-encoding: chunked"))
    for byte in PACKED:
        await wire.send(b"1\r\n%b\r\n" % bytes((byte,)))
    await wire.send(b"0\r\n\r\n")
    assert (await wire.reply("POST")).status == 200
    assert service.asked[0].body == JSON


async def test_a_large_body_streams(door: Door, service: RawService) -> None:
    body = os.urandom(1_500_000).hex().encode()
    assert (await _sent(door, gzip.compress(body))).status == 200
    assert service.asked[0].body == body


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(JSON, 400, "body_not_gzip", id="plain"),
        pytest.param(zlib.compress(JSON), 400, "body_not_gzip", id="zlib"),
        pytest.param(PACKED[:-1], 400, "body_not_gzip", id="cut"),
        pytest.param(PACKED[:5], 400, "body_not_gzip", id="cut in its head"),
        pytest.param(PACKED[:-8] + b"\0" * 8, 400, "body_not_gzip", id="wrong sum"),
        pytest.param(PACKED + b"more", 400, "body_not_gzip", id="followed by what is none"),
        pytest.param(PACKED + b"\0" * 9, 400, "body_not_gzip", id="padded"),
        pytest.param(gzip.compress(b"0" * 100_000), 413, "body_too_dense", id="bomb"),
        pytest.param(gzip.compress(b"0" * 10_000_000), 413, "body_too_dense", id="large bomb"),
        pytest.param(
            gzip.compress(os.urandom(4 * MIB + 1), 1), 413, "body_too_large", id="larger than the route takes"
        ),
        pytest.param(
            gzip.compress((os.urandom(20_000).hex() * 110).encode(), 9), 413, "body_too_large", id="large when open"
        ),
    ],
)
async def test_what_cannot_be_opened_never_reaches_the_service(
    door: Door, service: RawService, body: bytes, status: int, code: str
) -> None:
    reply = await _sent(door, body)
    assert (reply.status, reply.problem["type"]) == (status, f"/problems/{code}")
    assert all(asked.body != JSON for asked in service.asked)


@pytest.mark.parametrize(
    "headers",
    [
        ("content-encoding: br",),
        ("content-encoding: gzip, gzip",),
        ("content-encoding: gzip", "content-encoding: gzip"),
        ("content-encoding: gzip, identity",),
        ("content-encoding:",),
    ],
)
async def test_any_other_coding_is_refused_with_the_one_that_is_taken(
    door: Door, service: RawService, headers: tuple[str, ...]
) -> None:
    reply = await _sent(door, PACKED, *headers)
    assert (reply.status, reply.header("accept-encoding")) == (415, "gzip")
    assert service.asked == []


async def test_two_framings_stay_two(door: Door, service: RawService) -> None:
    head = door.head("POST /v1/courses", CODED, "content-length: 5", "transfer-encoding: chunked")
    reply = await door.raw(head + b"0\r\n\r\n", "POST")
    assert reply.status == 400
    assert service.asked == []


async def test_nothing_sent_is_nothing(door: Door, service: RawService) -> None:
    assert (await door.ask("POST /v1/courses", CODED, "content-length: 0")).status == 200
    assert service.asked[0].body == b""


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [pytest.param(PACKED, 200, JSON, id="gzip"), pytest.param(JSON, 400, b"body_not_gzip", id="plain")],
)
async def test_what_the_gateway_answers_itself_reads_it_too(
    authenticator: Authenticator, token: str, body: bytes, status: int, told: bytes
) -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        await Response((await _read(receive))[0])(scope, receive, send)

    application = RequestHandling(echo, Problems({}))
    async with opened([Route("/v1/home", None)], {}, authenticator, token, application=application) as door:
        reply = await _sent(door, body, path="/v1/home")
    assert (reply.status, told in reply.body) == (status, True)


def _pieces(*pieces: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return receive


def _inflated(*pieces: bytes) -> Callable[[], Awaitable[Any]]:
    scope = {"method": "POST", "http_version": "1.1", "headers": [(b"content-encoding", b"gzip")]}
    return inflated(scope, _pieces(*pieces))[1]


async def _read(receive: Callable[[], Awaitable[Any]]) -> tuple[bytes, int]:
    body, largest = b"", 0
    while True:
        message = await receive()
        body, largest = body + message["body"], max(largest, len(message["body"]))
        if not message["more_body"]:
            return body, largest


async def test_however_it_is_cut_the_body_is_the_same() -> None:
    random_ = random.Random(7)  # noqa: S311 - the same each time
    for _ in range(300):
        body = random_.randbytes(random_.randrange(3_000)).hex().encode() * random_.randrange(1, 60)
        packed = gzip.compress(body, random_.randrange(10))
        cuts = sorted(random_.sample(range(len(packed) + 1), random_.randrange(min(9, len(packed)))))
        pieces = [packed[start:end] for start, end in zip([0, *cuts], [*cuts, len(packed)], strict=True)]
        read, largest = await _read(_inflated(*pieces))
        assert (read == body, largest <= PLACE) == (True, True)
        with pytest.raises(BodyNotGzip):
            await _read(_inflated(packed[: random_.randrange(1, len(packed))]))


@pytest.mark.parametrize("size", [PLACE - 1, PLACE, PLACE + 1, 2 * PLACE])
async def test_a_body_of_just_so_many_steps_ends(size: int) -> None:
    body = (os.urandom(4_000) * 40)[:size]
    assert (await _read(_inflated(gzip.compress(body))))[0] == body


async def test_a_bomb_is_given_up_after_a_step_and_a_bit() -> None:
    receive, given = _inflated(gzip.compress(b"\0" * 50_000_000)), 0
    with pytest.raises(BodyTooDense):
        while True:
            given += len((await receive())["body"])
    assert given <= 100 * 50_000


async def test_opening_gives_others_their_turn() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    await _read(_inflated(gzip.compress(b"") * 2_000))
    task.cancel()
    assert turns >= 1_000
