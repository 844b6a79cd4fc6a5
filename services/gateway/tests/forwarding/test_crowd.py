"""Whoever opens connections without end (check 32) closes their own, and takes nobody's place."""

import resource
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.forwarding.crowd import KEPT_FOR_OTHERS, MOST_FILES, room_for_connections
from gateway.forwarding.routing import Route
from webapi import Authenticator

from .door import PATIENT, Door, Wire, opened
from .raw_service import RawService

MOST = 24
ELSEWHERE = "127.0.0.2"
PATH = "/v1/courses"


@pytest_asyncio.fixture
async def small(service: RawService, authenticator: Authenticator, token: str) -> AsyncIterator[Door]:
    """Give a gateway that has room for so many connections of clients."""
    routes = (Route(PATH, "learning", timeouts=PATIENT),)
    async with opened(routes, {"learning": service.url}, authenticator, token, most_connections=MOST) as door:
        yield door


async def answered(door: Door, wire: Wire) -> bool:
    """Ask on this connection; the answer may be that the connection is gone."""
    await wire.send(door.head(f"GET {PATH}"))
    return (await wire.reply()).status == 200


SAID = {"nothing": b"", "half a head": b"GET /v1/courses HTTP/1.1\r\nhost: x\r\n"}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_one_address_fills_the_door_for_nobody_else(small: Door, said: bytes) -> None:
    kept = await small.wire(ELSEWHERE)
    assert await answered(small, kept)
    many = [await small.wire() for _ in range(3 * MOST)]
    for wire in many[-MOST + 1 :]:
        await wire.send(said)
    for wire in many[: -MOST + 1]:
        assert await wire.is_closed()
    assert await answered(small, kept)
    assert await answered(small, await small.wire(ELSEWHERE))


async def test_nor_do_connections_that_were_served_and_wait_for_more(small: Door) -> None:
    served = [await small.wire() for _ in range(MOST)]
    for wire in served:
        assert await answered(small, wire)
    assert await answered(small, await small.wire(ELSEWHERE))
    assert await served[0].is_closed()
    assert await answered(small, served[-1])


async def test_many_addresses_close_what_waited_longest(small: Door) -> None:
    first, *_, latest = [await small.wire(f"127.0.0.{last}") for last in range(2, MOST + 3)]
    assert await first.is_closed()
    assert await answered(small, latest)


async def test_a_request_that_has_arrived_is_not_broken_off(small: Door) -> None:
    asking = await small.wire()
    await asking.send(small.head(f"POST {PATH}", "content-length: 2"))
    await asking.send(b"{")
    for _ in range(2 * MOST):
        await small.wire()
    await asking.send(b"}")
    assert (await asking.reply("POST")).status == 200


def test_the_process_takes_all_the_files_it_may_have_and_keeps_some_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for limits, room, raised in (
        ((1024, 4096), 4096 - KEPT_FOR_OTHERS, (4096, 4096)),
        ((256, 256), 128, None),
        ((1024, resource.RLIM_INFINITY), MOST_FILES - KEPT_FOR_OTHERS, (MOST_FILES, resource.RLIM_INFINITY)),
        ((resource.RLIM_INFINITY,) * 2, MOST_FILES - KEPT_FOR_OTHERS, None),
        ((1_000_000, 1_000_000), MOST_FILES - KEPT_FOR_OTHERS, None),
    ):
        told: list[tuple[int, int]] = []
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=limits: limits)
        monkeypatch.setattr(resource, "setrlimit", lambda _, to, told=told: told.append(to))
        assert room_for_connections() == room
        assert told == ([] if raised is None else [raised])
