"""What the door refuses, and how it says so."""

import asyncio
import contextlib
from datetime import timedelta
from uuid import uuid4

import pytest

from testkit.tokens import TokenIssuer

from .door import Door, Wire
from .raw_service import RawService


async def test_without_a_token_the_answer_is_401_and_names_the_scheme(door: Door, service: RawService) -> None:
    reply = await door.ask("GET /v1/courses", token=False)
    assert reply.status == 401
    assert reply.problem["type"] == "/problems/unauthenticated"
    assert reply.header("www-authenticate") == 'Bearer realm="xiangqiao"'
    assert reply.header("x-request-id") == reply.problem["trace_id"]
    assert service.opened == 0


async def test_a_bad_token_is_401_and_says_why(door: Door, service: RawService, issuer: TokenIssuer) -> None:
    expired = issuer.token(uuid4(), issued_at=1.0)
    foreign = issuer.token(uuid4(), claims={"aud": "someone-else"})
    short = issuer.token(uuid4(), lifetime=timedelta(minutes=-10))
    for token in (expired, foreign, short, "x", "a.b.c"):
        reply = await door.ask("GET /v1/courses", f"authorization: Bearer {token}", token=False)
        assert reply.status == 401
        assert 'error="invalid_token"' in (reply.header("www-authenticate") or "")
    assert service.opened == 0


async def test_public_paths_need_no_token(door: Door, service: RawService) -> None:
    assert (await door.ask("GET /oauth2/authorize?client_id=docs", token=False)).status == 200
    assert service.asked[0].target == b"/oauth2/authorize?client_id=docs"


async def test_an_unknown_path_is_404_in_the_readers_language(door: Door, service: RawService) -> None:
    for language, title in (("zh-CN", "未找到。"), ("en-GB,en;q=0.9", "There is no such thing.")):
        reply = await door.ask("GET /v1/nowhere", f"accept-language: {language}")
        assert (reply.status, reply.problem["title"]) == (404, title)
    assert service.opened == 0


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready", "/openapi.json", "/docs"])
async def test_the_services_own_pages_are_never_reached(door: Door, service: RawService, path: str) -> None:
    for way in (path, f"/v1/courses/..{path}", f"/v1/courses/%2e%2e{path}", f"/v1/courses/..%2f{path[1:]}", f"/{path}"):
        assert (await door.ask(f"GET {way}")).body != b"ok"
    assert service.opened == 0


@pytest.mark.parametrize(
    "target",
    [
        "/v1//courses",
        "//v1/courses",
        "/v1/courses/./a",
        "/v1/courses/../members",
        "/v1/courses/..",
        "/v1/courses/%2E%2e/x",
        "/v1/courses%2Fa",
        "/v1/courses/a%5cb",
        "/v1/courses\\a",
        "/v1/courses/%00",
        "/v1/courses/%0d%0ax",
        "/v1/courses/%zz",
        "/v1/courses/%4",
        "/v1/courses;a=b",
        "http://elsewhere.test/v1/courses",
        "*",
    ],
)
async def test_odd_targets_are_refused(door: Door, service: RawService, target: str) -> None:
    reply = await door.ask(f"GET {target}")
    assert reply.status == 400
    assert reply.problem["type"] == "/problems/bad_request"
    assert service.opened == 0


async def test_methods_that_no_service_knows_are_refused(door: Door, service: RawService) -> None:
    for method in ("TRACE", "PROPFIND", "LINK"):
        reply = await door.ask(f"{method} /v1/courses")
        assert reply.status == 405
        assert "GET" in (reply.header("allow") or "")
    assert service.opened == 0


async def test_a_body_over_the_routes_limit_is_413_and_the_connection_ends(door: Door, service: RawService) -> None:
    limit = 4 * 1024 * 1024
    reply = await door.raw(door.head("POST /v1/courses", f"content-length: {limit + 1}"), "POST")
    assert reply.status == 413
    assert reply.header("connection") == "close"
    assert service.opened == 0
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", "transfer-encoding: chunked"))
    piece = b"10000\r\n" + bytes(65536) + b"\r\n"
    for _ in range(65):
        await wire.send(piece)
    reply = await wire.reply("POST")
    assert reply.status == 413
    await service.settled(0)


async def test_long_targets_and_large_heads_are_refused(door: Door, service: RawService) -> None:
    assert (await door.ask(f"GET /v1/courses?q={'x' * 9000}")).status == 414
    assert (await door.ask("GET /v1/courses", f"x-long: {'x' * 33000}")).status == 431
    assert (await door.ask("GET /v1/courses", *(f"x-{number}: 1" for number in range(120)))).status == 431
    assert service.opened == 0


async def test_a_head_that_never_ends_is_bounded(door: Door) -> None:
    wire = await door.wire()
    await wire.send(b"GET /v1/courses HTTP/1.1\r\nx-long: ")
    for _ in range(6):
        await wire.send(b"x" * 8000)
        await asyncio.sleep(0.01)
    reply = await wire.reply()
    assert (reply.status, reply.problem["type"]) == (431, "/problems/headers_too_large")
    assert await wire.is_closed()


async def test_a_head_that_comes_too_slowly_is_408(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.forwarding.edge.HEAD_SECONDS", 0.1)
    wire = await door.wire()
    await wire.send(b"GET /v1/courses HTTP/1.1\r\nhost: x\r\n")
    assert (await wire.reply()).status == 408
    silent = await door.wire()
    assert await silent.is_closed()


async def test_websockets_are_refused_cleanly(door: Door, service: RawService) -> None:
    key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
    reply = await door.ask(
        "GET /v1/courses", "connection: Upgrade", "upgrade: websocket", key, "sec-websocket-version: 13"
    )
    assert (reply.status, reply.problem["part"]) == (501, "upgrade")
    assert service.opened == 0


async def test_an_offer_of_another_protocol_is_not_taken(door: Door, service: RawService) -> None:
    offer = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk")
    assert (await door.ask("GET /v1/courses", *offer)).status == 200
    assert b"upgrade" not in service.asked[0].head.lower()
    assert b"http2-settings" not in service.asked[0].head.lower()
    reply = await door.raw(door.head("POST /v1/courses", *offer, "content-length: 3") + b"abc", "POST")
    assert reply.status == 400


async def test_http_1_0_is_served_where_the_end_can_be_told(door: Door, service: RawService) -> None:
    old = b"GET /v1/courses HTTP/1.0\r\nauthorization: Bearer %b\r\n\r\n" % door.token.encode()
    reply = await door.raw(old)
    assert (reply.status, reply.body, reply.complete) == (200, b"ok", True)

    async def behave(talk: object, _asked: object) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")  # type: ignore[attr-defined]

    service.behave = behave
    assert (await door.raw(old)).status == 505
    assert (await door.raw(b"GET /v1/courses HTTP/2.0\r\nhost: x\r\n\r\n")).status == 505


@pytest.mark.parametrize("path", ["/v1/courses", "/v1/streams", "/oauth2/token"])
@pytest.mark.parametrize(
    "unseen", [b"1;" + b"x" * 4000 + b"\r\nx\r\n", b"0" * 4000 + b"1\r\nx\r\n"], ids=["extensions", "zeros"]
)
async def test_what_frames_a_body_counts_beside_it(door: Door, service: RawService, path: str, unseen: bytes) -> None:
    wire = await door.wire()
    await wire.send(door.head(f"POST {path}", "transfer-encoding: chunked"))
    await _send_until_refused(wire, unseen)
    reply = await wire.reply("POST")
    assert (reply.status, reply.problem["type"]) == (431, "/problems/headers_too_large")
    assert await wire.is_closed()
    await service.settled(0)


async def test_what_frames_a_body_counts_where_one_read_brings_all_of_it(door: Door, service: RawService) -> None:
    head = door.head("POST /v1/courses", "transfer-encoding: chunked")
    for rest in (b"1;" + b"x" * 50_000 + b"\r\nx\r\n0\r\n\r\n", b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * 8_000 + b"\r\n"):
        reply = await door.raw(head + rest, "POST")
        assert (reply.status, reply.problem["type"]) == (431, "/problems/headers_too_large")
    assert service.opened == 0


async def test_trailers_count_beside_the_body(door: Door, service: RawService) -> None:
    for end in (b"0\r\n", b"0;" + b"x" * 9000 + b"\r\n"):
        wire = await door.wire()
        await wire.send(door.head("POST /v1/courses", "transfer-encoding: chunked"), b"1\r\nx\r\n", end)
        await _send_until_refused(wire, b"x-trailer: " + b"x" * 4000 + b"\r\n")
        assert (await wire.reply("POST")).status == 431
        assert await wire.is_closed()
    await service.settled(0)


async def test_small_chunks_are_a_body_like_any_other(door: Door, service: RawService) -> None:
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", "transfer-encoding: chunked"))
    for _ in range(100):
        await wire.send(b"1\r\nx\r\n" * 1000)
    await wire.send(b"0\r\nx-trailer: 1\r\n\r\n")
    assert (await wire.reply("POST")).status == 200
    assert len(service.asked[0].body) == 100_000


@pytest.mark.parametrize("path", ["/v1/courses", "/v1/home", "/oauth2/authorize", "/health/live", "/nowhere"])
@pytest.mark.parametrize("version", ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"])
async def test_another_version_of_http_is_505(door: Door, service: RawService, path: str, version: str) -> None:
    reply = await door.raw(door.head(f"GET {path}").replace(b"HTTP/1.1", version.encode(), 1))
    assert (reply.status, reply.problem["type"]) == (505, "/problems/version_not_supported")
    assert service.opened == 0


async def _send_until_refused(wire: Wire, piece: bytes) -> None:
    """Send up to 2 MiB of pieces, waiting between them as a network does."""
    for _ in range(2 * 1024 * 1024 // len(piece)):
        with contextlib.suppress(ConnectionError):
            await wire.send(piece)
        if wire.reader._buffer or wire.reader.at_eof():  # type: ignore[attr-defined]
            return
        await asyncio.sleep(0.005)
