"""An address that fails is left out, is heard of again by the door itself, and costs nobody else anything."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.edge.breaker import Breaking, State
from gateway.forwarding import measures
from gateway.forwarding.limits import Limits
from gateway.forwarding.routing import Route
from gateway.forwarding.upstream import Upstream
from webapi import Authenticator

from .door import PATIENT, SMALL, UNBROKEN, Door, opened
from .raw_service import OK, Asked, Behaviour, RawService, Talk, answering, until

FIRST_BYTE = 0.5
BREAKING = Breaking(first_seconds=0.4, longest_seconds=0.8, slow_from=FIRST_BYTE)
SLOW_TO_PROBE = replace(BREAKING, first_seconds=30, longest_seconds=30)
TIMES = replace(PATIENT, first_byte=FIRST_BYTE)
ROUTES = (
    Route("/v1/courses", "learning", timeouts=TIMES, writing=TIMES),
    Route("/v1/patient", "learning", timeouts=PATIENT, writing=PATIENT),
    Route("/v1/cases", "feedback", timeouts=PATIENT, writing=PATIENT),
)
LIVE = b"/health/live"


@pytest_asyncio.fixture
async def guarded(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """A door whose breakers open, and close soon again."""
    async with opened(
        ROUTES, {"learning": service.url, "feedback": service.url}, authenticator, token, breaking=BREAKING
    ) as made:
        yield made


def state_of(door: Door) -> list[State]:
    return [pool.breaker.state for pool in door.upstreams["learning"].pools]


def is_left_out(door: Door) -> bool:
    return door.upstreams["learning"].left_out_since is not None


def closings() -> float:
    return float(measures.BREAKERS.labels("learning", State.CLOSED)._value.get())


async def silent(talk: Talk, _asked: Asked) -> None:
    await talk.ended()


async def closing(talk: Talk, _asked: Asked) -> None:
    talk.writer.close()


async def cut(talk: Talk, _asked: Asked) -> None:
    await talk.say(OK[:-1])
    talk.writer.close()


FAILING: dict[str, Behaviour] = {
    "silence": silent,
    "closed": closing,
    "cut": cut,
    "garbage": answering(b"nonsense\r\n\r\n"),
    "too slow by its own word": answering(b"HTTP/1.1 504 Slow\r\ncontent-length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("way", FAILING)
async def test_an_address_that_fails_is_left_out_and_comes_back_by_itself(
    guarded: Door, service: RawService, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.behave = FAILING[way]
    before = closings()
    with caplog.at_level(logging.WARNING, "gateway"):
        for _ in range(5):
            await guarded.ask("POST /v1/courses")
        refused = await guarded.ask("POST /v1/courses")
        assert (refused.status, refused.problem["type"]) == (503, "/problems/service_unavailable")
        assert int(refused.header("retry-after") or 0) >= 1
        assert is_left_out(guarded)
        assert [asked.target for asked in service.asked if asked.target != LIVE] == [b"/v1/courses"] * 5
        await until(lambda: any(asked.target == LIVE for asked in service.asked))
        service.behave = answering(OK)
        await until(lambda: state_of(guarded) == [State.CLOSED])
    assert not is_left_out(guarded)
    assert (await guarded.ask("POST /v1/courses")).body == b"ok"
    assert closings() == before + 1
    told = [record.state for record in caplog.records if record.message == "breaker_changed"]  # type: ignore[attr-defined]
    assert told[:2] == ["open", "probing"]
    assert told[-1] == "closed"
    probe = next(asked for asked in service.asked if asked.target == LIVE)
    assert (probe.method, probe.header(b"authorization")) == (b"GET", None)


async def test_a_service_that_is_away_is_left_out_until_it_is_back(authenticator: Authenticator, token: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    urls = {"learning": f"http://127.0.0.1:{port}", "feedback": f"http://127.0.0.1:{port}"}
    async with opened(ROUTES, urls, authenticator, token, breaking=BREAKING) as door:
        for _ in range(3):
            assert (await door.ask("GET /v1/courses")).status == 503
        assert state_of(door) != [State.CLOSED]
        async with RawService(port=port):
            await until(lambda: state_of(door) == [State.CLOSED])
            assert (await door.ask("GET /v1/courses")).body == b"ok"


@pytest.mark.parametrize("breaking", [SLOW_TO_PROBE, UNBROKEN], ids=["on", "off"])
async def test_behind_a_frozen_service_nobody_waits_for_long(
    service: RawService, authenticator: Authenticator, token: str, breaking: Breaking
) -> None:
    """Who waits is told by the deadline, who comes later at once; without the breaker everybody waits."""
    service.behave = silent
    loop = asyncio.get_running_loop()
    limits = replace(SMALL, connections=8)
    async with RawService() as other:
        urls = {"learning": service.url, "feedback": other.url}
        async with opened(ROUTES, urls, authenticator, token, breaking=breaking, limits=limits) as door:
            began = loop.time()
            waiting = [asyncio.create_task(door.ask("GET /v1/courses")) for _ in range(8)]
            assert (await door.ask("GET /v1/cases")).body == b"ok"
            assert not any(task.done() for task in waiting)
            assert {reply.status for reply in await asyncio.gather(*waiting)} == {504}
            assert loop.time() - began < 5 * FIRST_BYTE
            began = loop.time()
            later = [await door.ask("GET /v1/courses") for _ in range(4)]
            seconds = loop.time() - began
    assert all(int(reply.header("retry-after") or 0) > 0 for reply in later)
    if breaking is UNBROKEN:
        assert seconds >= 4 * FIRST_BYTE
        assert {reply.status for reply in later} == {504}
    else:
        assert seconds < 3 * FIRST_BYTE
        assert {reply.status for reply in later} == {503}


async def _refused(door: Door, _service: RawService) -> None:
    await door.ask("GET /v1/courses", token=False)


async def _not_found(door: Door, service: RawService) -> None:
    service.behave = answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    await door.ask("GET /v1/courses")


async def _failed_inside(door: Door, service: RawService) -> None:
    service.behave = answering(b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n")
    await door.ask("GET /v1/courses")


async def _hurried(door: Door, service: RawService) -> None:
    service.behave = silent
    await door.ask("GET /v1/patient", "prefer: wait=1")


async def _gone(door: Door, service: RawService) -> None:
    service.behave = silent
    wire = await door.wire()
    await wire.send(door.head("GET /v1/patient"))
    await service.settled(1)
    await wire.close()
    await service.settled(0)


async def _closed_while_kept(door: Door, service: RawService) -> None:
    service.behave = answering(OK)
    await door.ask("GET /v1/courses")
    service.behave = closing
    asking = asyncio.create_task(door.ask("POST /v1/courses"))
    assert (await asking).status == 502


@pytest.mark.parametrize("way", [_refused, _not_found, _failed_inside, _hurried, _gone, _closed_while_kept])
async def test_what_is_no_failure_of_the_address_never_counts(
    service: RawService, authenticator: Authenticator, token: str, way: Callable[[Door, RawService], Awaitable[None]]
) -> None:
    breaking = replace(SLOW_TO_PROBE, in_a_row=1, slow_from=2.0)
    urls = {"learning": service.url, "feedback": service.url}
    async with opened(ROUTES, urls, authenticator, token, breaking=breaking) as door:
        for _ in range(3):
            await way(door, service)
        assert state_of(door) == [State.CLOSED]


@pytest.mark.parametrize(("addresses", "most"), [(2, 1), (3, 1), (4, 2)])
async def test_half_of_several_addresses_are_left_out_at_most(addresses: int, most: int) -> None:
    urls = ",".join(f"http://127.0.0.1:{port}" for port in range(1, 1 + addresses))
    upstream = Upstream("learning", urls, limits=Limits(), breaking=SLOW_TO_PROBE)
    for pool in upstream.pools:
        for _ in range(10):
            upstream.failed(pool)
    out = [pool for pool in upstream.pools if pool.breaker.state is State.OPEN]
    assert len(out) == most
    assert {upstream.choose() for _ in range(20)} == set(upstream.pools) - set(out)
    upstream.close()
