"""How long a service has, what it is told of that, and what a client gets when the time is up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.forwarding.client import Receive, Send
from gateway.forwarding.forwarder import Scope
from gateway.forwarding.limits import MIB
from gateway.forwarding.routing import Route, public_routes
from webapi import Authenticator

from .door import PATIENT, Door, opened
from .raw_service import OK, Asked, RawService, Talk

QUICK = replace(PATIENT, first_byte=1.0)


@pytest_asyncio.fixture
async def hasty(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """A door with the deadlines of every day, and a route where what writes has a second."""
    routes = (
        Route("/v1/courses", "learning", max_body=4 * MIB),
        Route("/v1/streams", "learning", timeouts=PATIENT, writing=QUICK, max_body=4 * MIB),
        Route("/v1/home", None),
    )
    async with opened(routes, {"learning": service.url}, authenticator, token) as made:
        yield made


async def silent(talk: Talk, _asked: Asked) -> None:
    await talk.ended()


def left(asked: Asked) -> int:
    told = asked.header(b"x-xiangqiao-deadline")
    assert told is not None
    return int(told)


@pytest.mark.parametrize(
    ("line", "prefer", "seconds"),
    [
        ("GET /v1/courses", None, 5),
        ("POST /v1/courses", None, 10),
        ("GET /v1/courses", "wait=2", 2),
        ("DELETE /v1/courses", "respond-async, wait=2", 2),
        ("GET /v1/courses", "wait=60", 5),
        ("GET /v1/courses", "wait=soon", 5),
    ],
)
async def test_a_service_is_told_how_long_it_has(
    hasty: Door, service: RawService, line: str, prefer: str | None, seconds: int
) -> None:
    headers = ["x-xiangqiao-deadline: 999999", *([f"prefer: {prefer}"] if prefer is not None else [])]
    assert (await hasty.ask(line, *headers)).body == b"ok"
    assert 1000 * seconds - 900 < left(service.asked[0]) <= 1000 * seconds


def test_files_and_many_acts_have_a_minute() -> None:
    for path in (
        b"/v1/member-imports/x",
        b"/v1/organisation-imports",
        b"/v1/account-lists/x",
        b"/v1/me/exports/x/file",
    ):
        route = public_routes().find(path)
        assert route is not None
        assert {route.times(method).first_byte for method in ("GET", "POST")} == {60.0}


@pytest.mark.parametrize("line", ["GET /v1/courses", "POST /v1/courses"])
async def test_who_would_not_wait_is_told_when_to_come_again(hasty: Door, service: RawService, line: str) -> None:
    service.behave = silent
    loop = asyncio.get_running_loop()
    began = loop.time()
    reply = await hasty.ask(line, "prefer: wait=1", "accept-language: zh")
    assert 1 <= loop.time() - began < 4
    assert (reply.status, reply.problem["type"], reply.problem["service"]) == (
        504,
        "/problems/service_slow",
        "learning",
    )
    assert reply.problem["title"] == "服务未能及时响应。"
    assert 2 <= int(reply.header("retry-after") or 0) <= 4
    await service.settled(0)


async def test_waiting_for_a_connection_takes_from_the_time(hasty: Door, service: RawService) -> None:
    service.behave = silent
    asking = [asyncio.create_task(hasty.ask("GET /v1/streams")) for _ in range(4)]
    await service.settled(4)
    reply = await hasty.ask("POST /v1/streams")
    assert (reply.status, reply.problem["type"]) == (503, "/problems/service_busy")
    service.behave = silent
    for task in asking:
        task.cancel()


async def test_the_time_begins_when_the_body_is_whole(hasty: Door, service: RawService) -> None:
    wire = await hasty.wire()
    await wire.send(hasty.head("POST /v1/streams", "content-length: 4"), b"ab")
    await asyncio.sleep(1.3)
    await wire.send(b"cd")
    assert (await wire.reply("POST")).body == b"ok"
    assert left(service.asked[0]) > 500


async def test_a_body_that_still_comes_has_no_deadline_and_what_follows_it_has(
    hasty: Door, service: RawService
) -> None:
    service.behave = silent
    wire = await hasty.wire()
    await wire.send(hasty.head("POST /v1/streams", f"content-length: {MIB + 2}"), bytes(MIB))
    await service.settled(1)
    await asyncio.sleep(1.3)
    await wire.send(b"cd")
    assert (await wire.reply("POST")).status == 504
    assert service.asked[0].header(b"x-xiangqiao-deadline") is None


async def test_an_answer_under_way_has_no_deadline(hasty: Door, service: RawService) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(OK[:-1])
        await asyncio.sleep(1.5)
        await talk.say(OK[-1:])

    service.behave = behave
    assert (await hasty.ask("POST /v1/streams")).body == b"ok"


async def test_the_application_behind_has_a_deadline_too(hasty: Door) -> None:
    heard: list[bytes] = []

    async def behind(scope: Scope, _receive: Receive, send: Send) -> None:
        heard.extend(value for name, value in scope["headers"] if name == b"x-xiangqiao-deadline")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    hasty.forwarder._app = behind
    await hasty.ask("GET /v1/home", "x-xiangqiao-deadline: 1")
    await hasty.ask("PUT /v1/home")
    assert heard == [b"5000", b"10000"]
