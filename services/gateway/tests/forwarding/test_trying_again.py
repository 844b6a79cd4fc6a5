"""What is tried again after a failure, where, how often, and what never is."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.forwarding import measures
from gateway.forwarding.exchange import fetch
from gateway.forwarding.failures import ShuttingDown
from gateway.forwarding.limits import MIB, Limits
from gateway.forwarding.routing import Route
from gateway.forwarding.upstream import Upstream
from webapi import Authenticator

from .door import HASTY, PATIENT, SMALL, UNBROKEN, Door, opened
from .raw_service import OK, Asked, RawService, Talk, until

ROUTES = (
    Route("/v1/courses", "learning", timeouts=PATIENT, writing=PATIENT, max_body=4 * MIB),
    Route("/v1/hasty", "learning", timeouts=HASTY["first-byte"], writing=HASTY["first-byte"]),
)


@pytest_asyncio.fixture
async def other() -> AsyncIterator[RawService]:
    async with RawService() as made:
        yield made


@pytest_asyncio.fixture
async def both(service: RawService, other: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """A door before two addresses of one service."""
    async with opened(ROUTES, {"learning": f"{service.url},{other.url}"}, authenticator, token) as made:
        yield made


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port


async def closing(talk: Talk, _asked: Asked) -> None:
    talk.writer.close()


def tried(why: str) -> float:
    return float(measures.TRIED_AGAIN.labels("learning", why)._value.get())


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_was_not_sent_is_tried_again_whatever_it_is(
    authenticator: Authenticator, token: str, method: str
) -> None:
    port, before = free_port(), tried("unsent")
    async with opened(ROUTES, {"learning": f"http://127.0.0.1:{port}"}, authenticator, token) as door:
        asking = asyncio.create_task(door.ask(f"{method} /v1/courses", body=b"abc" if method == "POST" else b""))
        await until(lambda: tried("unsent") > before)
        async with RawService(port=port) as service:
            assert (await asking).body == b"ok"
            assert len(service.asked) == 1
    assert 1 <= tried("unsent") - before <= 2


async def test_it_is_tried_twice_more_within_a_second_and_then_refused(
    authenticator: Authenticator, token: str
) -> None:
    loop = asyncio.get_running_loop()
    urls = {"learning": f"http://127.0.0.1:{free_port()}"}
    async with opened(ROUTES, urls, authenticator, token) as door:
        before, began = tried("unsent"), loop.time()
        assert (await door.ask("POST /v1/courses", body=b"abc")).status == 503
        assert 0.5 < loop.time() - began < 2
        assert tried("unsent") == before + 2


async def test_it_goes_to_another_address_at_once(authenticator: Authenticator, token: str) -> None:
    async with RawService() as service:
        urls = {"learning": f"http://127.0.0.1:{free_port()},{service.url}"}
        async with opened(ROUTES, urls, authenticator, token) as door:
            replies = [await door.ask("POST /v1/courses", body=b"abc") for _ in range(6)]
    assert {reply.status for reply in replies} == {200}
    assert len(service.asked) == 6


async def test_a_keyed_post_is_repeated_once_and_takes_effect_once(
    both: Door, service: RawService, other: RawService
) -> None:
    effects: dict[bytes, bytes] = {}

    def behaving(name: str) -> object:
        async def behave(talk: Talk, asked: Asked) -> None:
            key = asked.header(b"idempotency-key")
            assert key is not None
            first = key not in effects
            effects.setdefault(key, asked.body + name.encode())
            if first:
                talk.reset()  # it is done, and its answer is lost
            else:
                said = effects[key]
                await talk.say(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n" % len(said), said)

        return behave

    service.behave, other.behave = behaving("-one"), behaving("-other")  # type: ignore[assignment]
    for number in range(4):
        body = b"%03d" % number
        reply = await both.ask("POST /v1/courses", f"idempotency-key: k{number}", body=body)
        assert (reply.status, reply.body[:3]) == (201, body)
    assert len(effects) == 4
    assert len(service.asked) == len(other.asked) == 4  # each at both: where it failed, and at the other address
    assert {each.body for each in service.asked} == {each.body for each in other.asked}


@pytest.mark.parametrize("closes", ["at once", "a kept connection"])
async def test_an_unkeyed_post_that_may_have_been_sent_never_is(
    both: Door, service: RawService, other: RawService, closes: str
) -> None:
    if closes == "a kept connection":
        assert {(await both.ask("GET /v1/courses")).status for _ in range(4)} == {200}
    for each in (service, other):
        each.behave = closing
        each.asked.clear()
    for method in ("POST", "PATCH"):
        assert (await both.ask(f"{method} /v1/courses", body=b"abc")).status == 502
    assert len(service.asked) + len(other.asked) == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_what_is_idempotent_is_sent_again_once(door: Door, service: RawService, method: str) -> None:
    service.behave = closing
    assert (await door.ask(f"{method} /v1/courses", body=b"abc" if method == "PUT" else b"")).status == 502
    assert [asked.method for asked in service.asked] == [method.encode()] * 2


@pytest.mark.parametrize("way", ["begun answer", "garbage", "silence", "streamed", "500"])
async def test_after_anything_else_nothing_is_sent_again(
    both: Door, service: RawService, other: RawService, way: str
) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        if way == "silence":
            await talk.ended()
        elif way == "begun answer":
            await talk.say(b"HTTP/1.1 2")
        elif way == "garbage":
            await talk.say(b"nonsense\r\n\r\n")
        elif way == "500":
            await talk.say(OK.replace(b"200 OK", b"500 Oops"))
        talk.writer.close()

    service.behave = other.behave = behave
    path = "hasty" if way == "silence" else "courses"
    body = bytes(MIB + 1) if way == "streamed" else b"abc"
    reply = await both.ask(f"PUT /v1/{path}", "idempotency-key: k", body=body)
    assert reply.status == {"silence": 504, "500": 500}.get(way, 502)
    assert len(service.asked) + len(other.asked) == 1


async def test_trying_again_is_bounded_by_a_share_of_all_requests(
    service: RawService, authenticator: Authenticator, token: str
) -> None:
    service.behave = closing
    limits = Limits(connections=16, waiting=200, sweep_seconds=0.02)
    async with opened(ROUTES, {"learning": service.url}, authenticator, token, limits=limits) as door:
        before = tried("over_budget")
        for _ in range(6):
            await asyncio.gather(*(door.ask("GET /v1/courses") for _ in range(16)))
        assert 96 + 20 <= len(service.asked) <= 96 + 45  # thirty in ten seconds; a slow machine takes longer
        assert tried("over_budget") - before >= 96 - 45


async def test_a_gateway_that_ends_tries_nothing_again(service: RawService) -> None:
    upstream = Upstream("learning", service.url, limits=SMALL, breaking=UNBROKEN)
    upstream.close()
    before = tried("unsent")

    with pytest.raises(ShuttingDown):
        await fetch(upstream, "/v1/courses", host="x", timeouts=PATIENT, max_bytes=MIB)
    assert tried("unsent") == before
