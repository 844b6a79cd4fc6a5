"""A request at the door leaves nothing for the collector, whoever answers it."""

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.forwarding.limits import Timeouts
from gateway.forwarding.routing import Route
from testkit.leftovers import uncollected
from testkit.listening import listener
from webapi import Authenticator

from .door import Door, opened


@pytest.mark.parametrize(
    ("asked", "more", "status"),
    [
        ("GET /v1/courses", "accept-encoding: gzip", 200),
        ("GET /v1/courses?origin=none", "origin: https://nobody.test", 403),
        ("HEAD /v1/courses", "", 200),
        ("POST /v1/courses", "content-length: 0", 200),
        ("GET /oauth2/anything", "", 200),
        ("GET /v1/home", "", 200),
        ("GET /v1/home", "origin: https://nobody.test", 403),
        ("GET /v1/nowhere", "", 404),
        ("PATCH /v1/nowhere", "content-length: 0", 404),
    ],
)
async def test_a_request_leaves_nothing_for_the_collector(door: Door, asked: str, more: str, status: int) -> None:
    assert await left_over(door, asked, more, status) <= 2, "what was served last, and what may be on its way"


async def test_nor_does_one_that_finds_no_service(authenticator: Authenticator, token: str) -> None:
    routes = (Route("/v1/courses", "learning", timeouts=Timeouts(connect=0.05, first_byte=0.05)),)
    with listener() as nobody:
        port = nobody.getsockname()[1]
    async with opened(routes, {"learning": f"http://127.0.0.1:{port}"}, authenticator, token) as door:
        assert await left_over(door, "GET /v1/courses", "", 503, requests=6) <= 2


async def left_over(door: Door, asked: str, more: str, status: int, *, requests: int = 20) -> int:
    """Ask many times on one connection, and count what is left of the requests."""
    wire = await door.wire()
    with uncollected(RequestResponseCycle) as left:
        for _ in range(requests):
            await wire.send(door.head(asked, *filter(None, [more])))
            assert (await wire.reply(asked.split(maxsplit=1)[0])).status == status
        return left()
