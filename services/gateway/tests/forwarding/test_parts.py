"""The rules of paths, heads and the queue, each by itself."""

import asyncio
import posixpath
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.forwarding import headers
from gateway.forwarding.client import Message
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import ServiceBusy, ServiceUnreachable
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.headers import OddRequest, RequestHead, read_request, write_head
from gateway.forwarding.limits import Limits, Timeouts
from gateway.forwarding.routing import OddPath, Route, RoutingTable, public_routes
from gateway.forwarding.slow_clients import Patience
from gateway.forwarding.upstream import Upstream
from gateway.quotas.buckets import Quotas
from webapi import Authenticator

from .door import PATIENCE_SECONDS, Door
from .raw_service import RawService

TABLE = RoutingTable([Route("/v1/cases", "feedback"), Route("/v1/cases/receipts", "feedback", public=True)])


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("/v1/cases", "/v1/cases"),
        ("/v1/cases/", "/v1/cases"),
        ("/v1/cases/receipts", "/v1/cases/receipts"),
        ("/v1/cases/receipts/1", "/v1/cases/receipts"),
        ("/v1/cases/receiptsx", "/v1/cases"),
        ("/v1/casesx", None),
        ("/v1", None),
        ("/", None),
        ("/V1/cases", None),
    ],
)
def test_the_longest_prefix_of_whole_segments_wins(path: str, prefix: str | None) -> None:
    route = TABLE.find(path.encode())
    assert (route.prefix if route else None) == prefix


@given(
    st.lists(st.sampled_from(["/", ".", "..", "%2e", "%2F", "%5c", "\\", "v1", "cases", "%00", "%41", "é", ";", "?"]))
)
def test_a_path_that_passes_means_the_same_to_everyone(parts: list[str]) -> None:
    path = "/v1/cases/" + "".join(parts)
    try:
        TABLE.find(path.encode())
    except OddPath:
        return
    plain = unquote(path)
    assert plain == unquote(unquote(path))
    assert posixpath.normpath(plain) == plain.rstrip("/")
    assert not set("\\?;\0") & set(plain)


def test_a_table_refuses_two_routes_for_one_prefix() -> None:
    with pytest.raises(ValueError, match="two routes"):
        RoutingTable([Route("/v1/a", "x"), Route("/v1/a", "y")])
    with pytest.raises(ValueError, match="not a prefix"):
        RoutingTable([Route("/v1/a/", "x")])


def test_only_sign_in_and_keys_are_public() -> None:
    outside = {route.prefix for route in public_routes().routes if route.public and not route.cookies}
    asked = {f"/oauth2/{name}" for name in ("userinfo", "token", "revoke", "device_authorization", "jwks")}
    assert outside == {"/.well-known", *asked}
    assert {route.prefix for route in public_routes().routes if route.cookies} == {"/oauth2", "/sign-in"}


def test_a_forwarder_needs_an_upstream_for_every_service_and_a_real_address() -> None:
    async def app(*_: object) -> None: ...

    others: dict[str, Any] = {
        "authenticator": Authenticator.__new__(Authenticator),
        "quotas": Quotas(1),
        "patience": Patience(),
    }
    with pytest.raises(ValueError, match="feedback"):
        Forwarder(app, routes=TABLE, upstreams={}, public_url="http://x", **others)
    for url in ("x", "ftp://x", "http://user@x", "http://"):
        with pytest.raises(ValueError, match="address"):
            Forwarder(app, routes=RoutingTable([]), upstreams={}, public_url=url, **others)
    for url in ("x:1", "ftp://x", "http://x/path", "http://x?y"):
        with pytest.raises(ValueError, match="address"):
            Upstream("members", url)


@given(
    st.binary(max_size=20), st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"\r\nhost: x\r\n"]), st.binary(max_size=20)
)
def test_no_value_breaks_out_of_its_line(before: bytes, breaking: bytes, after: bytes) -> None:
    head = RequestHead([b"x-a: ", before + breaking + after, b"\r\n"], None, chunked=False)
    with pytest.raises(OddRequest):
        write_head(b"GET", b"/", head, b"host: y\r\n")
    with pytest.raises(OddRequest):
        write_head(b"GET", b"/?" + before + breaking + after, RequestHead([], None, chunked=False), b"host: y\r\n")


def test_strange_names_do_not_fill_the_memory() -> None:
    for number in range(3 * headers.KNOWN_NAMES):
        read_request("GET", "1.1", [(b"host", b"x"), (b"x-%d" % number, b"1")])
    assert len(headers._TO_SERVICE) <= headers.KNOWN_NAMES


async def test_a_request_that_leaves_the_queue_leaves_its_place(service: RawService) -> None:
    (upstream,) = Upstream("learning", service.url, limits=Limits(connections=1, waiting=2)).pools
    times = Timeouts(queue=PATIENCE_SECONDS)
    held = await upstream.acquire(times)
    first, second = (asyncio.create_task(upstream.acquire(times)) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(ServiceBusy):
        await upstream.acquire(times)
    first.cancel()
    upstream.release(held)  # unused, so it is closed; the place goes to the second
    assert await second is not held
    assert (upstream.open, upstream.waiting) == (1, 0)
    with pytest.raises(ServiceBusy):
        await upstream.acquire(Timeouts(queue=0.2))
    assert upstream.waiting == 0
    upstream.close()
    with pytest.raises(ServiceUnreachable):
        await upstream.acquire(times)
    upstream.release(second.result())
    assert upstream.open == 0


async def test_what_is_handed_to_a_request_at_the_moment_it_leaves_is_passed_on(service: RawService) -> None:
    (upstream,) = Upstream("learning", service.url, limits=Limits(connections=1, waiting=2)).pools
    held = await upstream.acquire(Timeouts())
    _use(held)
    first, second = (asyncio.create_task(upstream.acquire(Timeouts())) for _ in range(2))
    await asyncio.sleep(0)
    await held.answered()
    assert await held.chunk() == b"ok"
    upstream.release(held)  # handed to the first
    first.cancel()
    assert await second is held
    upstream.release(held)
    assert (upstream.open, upstream.idle) == (1, 1)
    upstream.close()


def _use(connection: Connection) -> None:
    connection.begin(b"GET", Timeouts())
    connection.request_sent = True
    connection.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")


async def test_a_connection_that_opens_after_the_closing_is_not_used(service: RawService) -> None:
    (upstream,) = Upstream("learning", service.url).pools
    coming = asyncio.create_task(upstream.acquire(Timeouts()))
    await asyncio.sleep(0)
    assert upstream.open == 1
    upstream.close()
    with pytest.raises(ServiceUnreachable):
        await coming
    assert upstream.open == 0
    await service.settled(0)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abcdef"], [b"abc", b"def"], [b"abcd", b""]])
async def test_a_body_that_is_not_as_long_as_announced_goes_no_further(
    door: Door, service: RawService, pieces: list[bytes]
) -> None:
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    coming[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    token = f"Bearer {door.token}".encode()
    given = [(b"host", b"x"), (b"authorization", token), (b"content-length", b"5")]
    scope = {"type": "http", "method": "POST", "http_version": "1.1", "raw_path": b"/v1/courses", "headers": given}
    await door.forwarder({**scope, "query_string": b"", "client": None}, receive, send)
    assert sent[0]["status"] == 400
    assert service.asked == []
    await service.settled(0)


async def test_a_websocket_is_answered_with_a_problem_where_the_server_can(door: Door) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/v1/courses", "headers": []}
    await door.forwarder({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    assert [message.get("status") for message in sent] == [501, None]
    sent.clear()
    await door.forwarder(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_the_pools_close_with_the_server(door: Door, service: RawService) -> None:
    await door.ask("GET /v1/courses")

    async def receive() -> Message:
        return {"type": "lifespan.shutdown"}

    async def app(_scope: object, _receive: object, send: object) -> None:
        await send({"type": "lifespan.shutdown.complete"})  # type: ignore[operator]

    async def send(message: Message) -> None:
        assert door.upstreams["learning"].open == 0
        assert message["type"] == "lifespan.shutdown.complete"

    door.forwarder._app = app
    await door.forwarder({"type": "lifespan"}, receive, send)
    await service.settled(0)
