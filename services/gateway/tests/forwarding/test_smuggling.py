"""No request can hide in another, no header of the gateway's can come from outside."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .door import Door
from .raw_service import RawService, answering

FORGED = [
    "x-forwarded-for: 1.2.3.4",
    "x-forwarded-host: evil.test",
    "x-forwarded-proto: gopher",
    "x-real-ip: 1.2.3.4",
    "forwarded: for=1.2.3.4",
    "via: 1.1 evil",
    "x-request-id: forged",
    "traceparent: 00-11111111111111111111111111111111-1111111111111111-01",
    "tracestate: evil=1",
    "baggage: person=1",
    "x-xiangqiao-person: 1",
    "X-Xiangqiao-Roles: all",
    "x_forwarded_for: 1.2.3.4",
    "x.forwarded.for: 1.2.3.4",
    "x-original-url: /metrics",
    "x-http-method-override: DELETE",
    "proxy-authorization: Basic eDp4",
    "te: trailers",
    "keep-alive: timeout=5",
    "cookie: session=1",
]


@pytest.mark.parametrize("header", FORGED)
async def test_headers_of_the_gateway_cannot_come_from_outside(door: Door, service: RawService, header: str) -> None:
    assert (await door.ask("GET /v1/courses", header)).status == 200
    name, _, value = header.partition(": ")
    asked = service.asked[0]
    assert value.encode() not in asked.all(name.lower().encode())
    assert len(asked.all(name.lower().encode())) <= 1


async def test_headers_named_in_connection_stay_here(door: Door, service: RawService) -> None:
    await door.ask("GET /v1/courses", "connection: x-private, close", "x-private: 1", "x-public: 2")
    assert service.asked[0].header(b"x-private") is None
    assert service.asked[0].header(b"connection") is None
    assert service.asked[0].header(b"x-public") == b"2"


@pytest.mark.parametrize("name", ["authorization", "host", "content-length", "cookie", "if-match"])
async def test_connection_cannot_take_out_what_carries_meaning(door: Door, service: RawService, name: str) -> None:
    assert (await door.ask("POST /v1/courses", f"connection: close, {name}", body=b"abc")).status == 400
    assert service.opened == 0


@pytest.mark.parametrize(
    "headers",
    [
        ("content-length: 3", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 3"),
        ("content-length: 3", "content-length: 3"),
        ("content-length: 3", "content-length: 4"),
        ("content-length: 3, 3",),
        ("content-length: +3",),
        ("content-length: 0x3",),
        ("content-length: 3_0",),
        ("content-length:",),
        ("content-length: 99999999999999999999999",),
        ("content-length : 3",),
        ("transfer-encoding : chunked",),
        ("transfer-encoding: gzip, chunked",),
        ("transfer-encoding: xchunked",),
        ("transfer-encoding: identity",),
        ("transfer-encoding: chunked", "transfer-encoding: chunked"),
        ("transfer-encoding:\x0bchunked",),
        ("x-folded: a\r\n b", "content-length: 3"),
        ("x-bare: a\rcontent-length: 3",),
        ("x-bare: a\ncontent-length: 3",),
        ("x-nul: a\x00b",),
        (" leading: 1",),
        ("no-colon",),
        ("héader: 1",),
        ("host: second.test",),
        ("authorization: Bearer second",),
        ("expect: 200-ok",),
    ],
)
async def test_heads_that_two_readers_could_read_differently_are_refused(
    door: Door, service: RawService, headers: tuple[str, ...]
) -> None:
    wire = await door.wire()
    await wire.send(
        door.head("POST /v1/courses", *headers), b"3\r\nabc\r\n0\r\n\r\n", door.head("GET /v1/courses/second")
    )
    reply = await wire.reply("POST")
    assert reply.status in {400, 417, 501}
    assert reply.problem["status"] == reply.status
    assert await wire.is_closed()
    assert service.asked == []


async def test_a_get_brings_no_body(door: Door, service: RawService) -> None:
    assert (await door.ask("GET /v1/courses", "content-length: 0")).status == 200
    assert (await door.ask("GET /v1/courses", body=b"GET /v1/second HTTP/1.1\r\n\r\n")).status == 400
    assert len(service.asked) == 1


async def test_a_request_without_host_is_refused(door: Door, service: RawService) -> None:
    assert (await door.raw(b"GET /v1/courses HTTP/1.1\r\n\r\n")).status == 400
    assert service.opened == 0


async def test_a_trailer_cannot_become_a_header(door: Door, service: RawService) -> None:
    head = door.head("POST /v1/courses", "transfer-encoding: chunked", token=False)
    trailer = f"0\r\nauthorization: Bearer {door.token}\r\nx-forwarded-for: 1.2.3.4\r\n\r\n".encode()
    assert (await door.raw(head + trailer, "POST")).status == 401
    assert service.opened == 0


async def test_a_second_answer_is_never_given_to_the_next_request(door: Door, service: RawService) -> None:
    poison = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
    service.behave = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", poison)
    wire = await door.wire()
    for _ in range(5):
        await wire.send(door.head("GET /v1/courses"))
        reply = await wire.reply()
        assert (reply.status, reply.body) == (200, b"ok")
        await asyncio.sleep(0.01)
    assert service.opened == 5


@pytest.mark.parametrize("delay", [0.0, 0.05])
async def test_a_body_after_head_or_304_is_never_given_to_the_next_request(
    door: Door, service: RawService, delay: float
) -> None:
    async def behave(talk: object, asked: object) -> None:
        await talk.say(b"HTTP/1.1 304 X\r\ncontent-length: 6\r\n\r\n")  # type: ignore[attr-defined]
        await asyncio.sleep(delay)
        await talk.say(b"poison")  # type: ignore[attr-defined]

    service.behave = behave
    for method in ("GET", "HEAD", "GET"):
        reply = await door.ask(f"{method} /v1/courses")
        assert (reply.status, reply.body, reply.complete) == (304, b"", True)
        await asyncio.sleep(delay * 2)
    await service.settled(0)


# Mostly well-formed, so that enough gets through to be mistaken for something else.
_LINES = st.lists(
    st.one_of(
        st.builds(
            lambda name, gap, value: name + gap + value,
            st.sampled_from(
                [b"content-length", b"Transfer-Encoding", b"connection", b"host", b"x-a", b"upgrade", b"te"]
            ),
            st.sampled_from([b": "] * 8 + [b":", b" : ", b":\t", b"\r\n: ", b": \r\n "]),
            st.one_of(
                st.sampled_from(
                    [b"0", b"3", b"5", b"chunked", b"close", b"keep-alive", b"x-a", b"h2c", b"\x0bchunked"]
                ),
                st.binary(max_size=20),
            ),
        ),
        st.sampled_from([b"content-length: 3", b"content-length: 13", b"transfer-encoding: chunked", b"x-a: 1"]),
        st.text(alphabet="abc:- \t\r\n\0é", max_size=30).map(str.encode),
    ),
    max_size=3,
)
_TARGETS = st.one_of(
    st.sampled_from([b"/v1/courses", b"/v1/courses/a?b=c", b"/v1/courses/%20", b"/v1/courses/../x", b"/v1/courses//"]),
    st.binary(max_size=20).map(b"/v1/courses/".__add__),
)
_METHODS = st.sampled_from([b"POST"] * 4 + [b"GET"] * 2 + [b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"get", b"CONNECT"])
_BODIES = st.one_of(
    st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n0\r\nhost: b\r\n\r\n"]),
    st.just(b"0\r\n\r\nGET /v1/courses HTTP/1.1\r\nhost: a\r\n\r\n"),
    st.binary(max_size=40),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asking=st.tuples(_METHODS, _TARGETS, _LINES, _BODIES), splits=st.lists(st.integers(1, 200), max_size=3))
async def test_whatever_a_client_sends_the_service_reads_whole_requests_and_the_gateway_lives(
    door: Door, service: RawService, asking: tuple[bytes, bytes, list[bytes], bytes], splits: list[int]
) -> None:
    method, target, lines, body = asking
    authorization = b"authorization: Bearer " + door.token.encode()
    data = b"\r\n".join((method + b" " + target + b" HTTP/1.1", b"host: a", authorization, *lines, b"", b"")) + body
    wire = await door.wire()
    for at in sorted({min(split, len(data)) for split in splits}):
        await wire.send(data[:at])
        data = data[at:]
    await wire.send(data)
    wire.writer.write_eof()
    while (await wire.reply(method.decode())).status:
        pass
    await wire.close()
    door.wires.remove(wire)
    for asked in service.asked:
        assert asked.target.startswith(b"/v1/courses")
        assert len(asked.all(b"x-forwarded-for")) == len(asked.all(b"host")) == len(asked.all(b"x-request-id")) == 1
        assert len(asked.all(b"content-length")) + len(asked.all(b"transfer-encoding")) <= 1
    service.asked.clear()
    assert service.errors == []
    assert (await door.ask("GET /v1/courses")).status == 200
    service.asked.clear()
