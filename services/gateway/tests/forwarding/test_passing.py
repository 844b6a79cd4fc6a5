"""What goes through the door unharmed: requests, answers, bodies of every framing."""

import asyncio
from unittest.mock import Mock

import pytest

from gateway.forwarding.edge import EdgeProtocol
from gateway.forwarding.limits import MIB
from gateway.forwarding.routing import Route
from webapi import Authenticator

from .door import PUBLIC_URL, Door, opened
from .raw_service import OK, Asked, RawService, Talk, answering


async def test_a_request_reaches_its_service_with_path_query_and_headers(door: Door, service: RawService) -> None:
    reply = await door.ask(
        "GET /v1/courses/a%20b?limit=5&q=%E4%B9%A1", "accept: application/json", "x-custom: 乡".encode()
    )
    assert (reply.status, reply.body, reply.complete) == (200, b"ok", True)
    asked = service.asked[0]
    assert asked.lines[0] == b"GET /v1/courses/a%20b?limit=5&q=%E4%B9%A1 HTTP/1.1"
    assert asked.header(b"accept") == b"application/json"
    assert asked.header(b"x-custom") == "乡".encode()
    assert asked.header(b"authorization") == f"Bearer {door.token}".encode()


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [("127.0.0.0/8", b"203.0.113.7"), ("127.0.0.1/32,203.0.113.0/24", b"198.51.100.9"), ("10.0.0.0/8", b"127.0.0.1")],
)
async def test_a_proxy_in_front_is_believed_about_the_address_it_saw_itself(
    service: RawService, authenticator: Authenticator, token: str, trusted: str, seen: bytes
) -> None:
    routes = (Route("/v1/courses", "learning"),)
    async with opened(routes, {"learning": service.url}, authenticator, token, trusted_proxies=trusted) as door:
        await door.ask("GET /v1/courses", "x-forwarded-for: 192.0.2.1, 198.51.100.9, 203.0.113.7")
    assert service.asked[0].header(b"x-forwarded-for") == seen


async def test_the_service_learns_who_asked_the_gateway_and_where(door: Door, service: RawService) -> None:
    reply = await door.ask("GET /v1/courses")
    asked = service.asked[0]
    assert asked.header(b"host") == PUBLIC_URL.removeprefix("https://").encode()
    assert asked.header(b"x-forwarded-host") == asked.header(b"host")
    assert asked.header(b"x-forwarded-proto") == b"https"
    assert asked.header(b"x-forwarded-for") == b"127.0.0.1"
    assert asked.header(b"via") == b"1.1 xiangqiao"
    request_id = reply.header("x-request-id")
    assert request_id is not None
    assert asked.header(b"x-request-id") == request_id.encode()
    trace = asked.header(b"traceparent")
    assert trace is not None
    assert trace.split(b"-")[1] == request_id.encode()


@pytest.mark.parametrize(("closing", "pieces"), [(False, 1), (True, 2)])
async def test_an_answer_that_is_at_hand_is_written_at_once(
    door: Door, monkeypatch: pytest.MonkeyPatch, closing: bool, pieces: int
) -> None:
    transports: list[Mock] = []
    made = EdgeProtocol.connection_made

    def watched(protocol: EdgeProtocol, transport: asyncio.Transport) -> None:
        transports.append(Mock(wraps=transport))
        made(protocol, transports[-1])

    monkeypatch.setattr(EdgeProtocol, "connection_made", watched)
    reply = await door.ask("GET /v1/courses", *(["connection: close"] if closing else []))
    assert (reply.status, reply.body, reply.complete) == (200, b"ok", True)
    assert reply.header("connection") == ("close" if closing else None)
    assert transports[0].write.call_count == pieces


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_body_of_known_length_goes_through(door: Door, service: RawService, method: str) -> None:
    body = bytes(range(256)) * 8
    reply = await door.ask(f"{method} /v1/courses", body=body)
    assert reply.status == 200
    assert service.asked[0].body == body
    assert service.asked[0].header(b"transfer-encoding") is None


async def test_an_empty_post_says_so(door: Door, service: RawService) -> None:
    await door.ask("POST /v1/courses", "content-length: 0")
    assert service.asked[0].header(b"content-length") == b"0"


async def test_a_chunked_body_goes_through_in_pieces(door: Door, service: RawService) -> None:
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", "transfer-encoding: chunked"))
    for piece in (b"3\r\nabc\r\n", b"2;name=value\r\n", b"de\r\n", b"0\r\nx-trailer: dropped\r\n\r\n"):
        await wire.send(piece)
        await asyncio.sleep(0.02)
    assert (await wire.reply("POST")).status == 200
    assert service.asked[0].body == b"abcde"
    assert b"trailer" not in service.asked[0].head


async def test_an_expectation_is_met_by_the_gateway(door: Door, service: RawService) -> None:
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", "content-length: 3", "expect: 100-continue"))
    assert await wire.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await wire.send(b"abc")
    assert (await wire.reply("POST")).status == 200
    assert service.asked[0].header(b"expect") is None
    assert service.asked[0].body == b"abc"


async def test_interim_answers_are_passed_over(door: Door, service: RawService) -> None:
    service.behave = answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", OK)
    reply = await door.ask("GET /v1/courses")
    assert (reply.status, reply.body) == (200, b"ok")
    assert reply.header("link") is None


async def test_head_has_the_length_and_no_body_and_keeps_the_connection(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, asked: Asked) -> None:
        await talk.say(OK.partition(b"ok")[0] if asked.method == b"HEAD" else OK)

    service.behave = behave
    wire = await door.wire()
    for method in ("HEAD", "GET", "HEAD"):
        await wire.send(door.head(f"{method} /v1/courses"))
        reply = await wire.reply(method)
        assert (reply.status, reply.header("content-length"), reply.complete) == (200, "2", True)
        assert reply.body == (b"ok" if method == "GET" else b"")
    assert service.opened == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_content_end_at_their_head(door: Door, service: RawService, status: int) -> None:
    length = b"content-length: 7\r\n" if status == 304 else b""
    service.behave = answering(b"HTTP/1.1 %d X\r\netag: a\r\n%b\r\n" % (status, length))
    wire = await door.wire()
    for _ in range(2):
        await wire.send(door.head("GET /v1/courses"))
        reply = await wire.reply()
        assert (reply.status, reply.body, reply.complete, reply.header("etag")) == (status, b"", True, "a")
    assert service.opened == 1


async def test_a_chunked_answer_arrives_piece_by_piece(door: Door, service: RawService) -> None:
    more = asyncio.Event()

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await more.wait()
        await talk.say(b"3\r\ntwo\r\n0\r\nx-trailer: dropped\r\n\r\n")

    service.behave = behave
    wire = await door.wire()
    await wire.send(door.head("GET /v1/courses"))
    async with asyncio.timeout(2):
        assert (await wire.reader.readuntil(b"one\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        more.set()
        rest = await wire.reader.readuntil(b"0\r\n\r\n")
    assert rest == b"3\r\ntwo\r\n0\r\n\r\n"
    assert service.opened == len(service.open) == 1


async def test_an_answer_that_ends_with_its_connection_is_whole(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        talk.writer.close()

    service.behave = behave
    reply = await door.ask("GET /v1/courses")
    assert (reply.status, reply.body, reply.complete) == (200, b"all of it", True)
    service.behave = answering(OK)
    assert (await door.ask("GET /v1/courses")).body == b"ok"
    assert service.opened == 2


async def test_an_early_answer_is_passed_on_and_its_connection_closed(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        await talk.head()
        await talk.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await talk.ended()

    service.converse = converse
    wire = await door.wire()
    await wire.send(door.head("POST /v1/courses", f"content-length: {2 * MIB}"), b"x" * 1000)
    reply = await wire.reply("POST")
    assert (reply.status, reply.body, reply.complete) == (413, b"big", True)
    await service.settled(0)


async def test_one_client_connection_serves_many_requests_over_one_service_connection(
    door: Door, service: RawService
) -> None:
    wire = await door.wire()
    for number in range(20):
        await wire.send(door.head(f"GET /v1/courses/{number}"))
        assert (await wire.reply()).body == b"ok"
    assert service.opened == 1
    assert door.upstreams["learning"].idle == 1


async def test_pipelined_requests_are_answered_in_order(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, asked: Asked) -> None:
        await asyncio.sleep(0.1 if asked.target.endswith(b"0") else 0)
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n", asked.target[-1:])

    service.behave = behave
    wire = await door.wire()
    await wire.send(*(door.head(f"GET /v1/courses/{number}") for number in range(4)))
    assert [(await wire.reply()).body for _ in range(4)] == [b"0", b"1", b"2", b"3"]


async def test_a_service_that_asks_to_close_is_obeyed(door: Door, service: RawService) -> None:
    service.behave = answering(
        b"HTTP/1.1 200 OK\r\nconnection: close, x-private\r\nx-private: 1\r\ncontent-length: 2\r\n\r\nok"
    )
    for _ in range(3):
        reply = await door.ask("GET /v1/courses")
        assert (reply.status, reply.header("x-private"), reply.header("connection")) == (200, None, None)
    assert service.opened == 3
    await service.settled(0)


async def test_cookies_pass_on_sign_in_pages_alone(door: Door, service: RawService) -> None:
    service.behave = answering(b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n")
    reply = await door.ask("GET /oauth2/authorize", "cookie: s=1", token=False)
    assert [value for name, value in reply.headers if name == b"set-cookie"] == [b"a=1", b"b=2"]
    assert service.asked[0].header(b"cookie") == b"s=1"
    reply = await door.ask("GET /v1/courses", "cookie: s=1")
    assert reply.header("set-cookie") is None
    assert service.asked[1].header(b"cookie") is None


async def test_what_no_service_answers_goes_to_the_application_behind(door: Door, service: RawService) -> None:
    for path in ("/v1/home", "/v1/home/x", "/openapi.json", "/docs", "/health/live", "/"):
        assert (await door.ask(f"GET {path}", token=False)).body == b"behind"
    assert service.asked == []
