"""Answers come as gzip to who takes it, and to nobody where it could tell a secret or change what a tag names."""

import asyncio
import gzip
import json
import os
import zlib

import httpx
import pytest

from gateway.edge.compression import AT_ONCE, Packer, accepted

from .door import Door, Wire
from .raw_service import Asked, RawService, Talk, answering

GZIP = "accept-encoding: gzip"
JSON = json.dumps([{"id": number, "title": "主题党日", "place": f"village {number}"} for number in range(40)]).encode()


def said(body: bytes, *lines: bytes, kind: bytes = b"application/json", status: bytes = b"200 OK") -> bytes:
    head = (b"HTTP/1.1 " + status, b"content-type: " + kind, b"content-length: %d" % len(body), *lines)
    return b"\r\n".join((*head, b"", body))


@pytest.mark.parametrize(
    ("value", "takes"),
    [
        (b"gzip", True),
        (b"GZIP", True),
        (b"x-gzip", True),
        (b"br, deflate, gzip;q=0.5", True),
        (b"*", True),
        (b"gzip ; q=0.001", True),
        (b"gzip;q=1.000, identity;q=0", True),
        (b"", False),
        (b"identity", False),
        (b"br, zstd", False),
        (b"gzip;q=0", False),
        (b"gzip;Q=0.000", False),
        (b"*;q=0", False),
        (b"gzip;q=0, *", False),
        (b"identity, gzip;q=0.5", False),
        (b"gzip;q=2", False),
        (b"gzip;level=1", False),
        (b"gzipped", False),
    ],
)
def test_accept_encoding_is_read_as_rfc_9110_says(value: bytes, takes: bool) -> None:
    assert accepted(value) is takes


async def test_who_takes_gzip_gets_it(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    packed = await door.ask("GET /v1/courses", GZIP)
    assert packed.header("content-encoding") == "gzip"
    assert packed.header("vary") == "accept-encoding"
    assert packed.header("content-length") == str(len(packed.body))
    assert len(packed.body) < len(JSON) / 4
    assert gzip.decompress(packed.body) == JSON
    plain = await door.ask("GET /v1/courses")
    assert (plain.body, plain.header("content-encoding")) == (JSON, None)
    assert plain.header("vary") == "accept-encoding"
    assert plain.header("etag") == packed.header("etag")


async def test_which_codings_a_client_takes_is_the_door_s_to_know(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    await door.ask("GET /v1/courses", "accept-encoding: br, gzip")
    assert service.asked[-1].header(b"accept-encoding") is None


async def test_a_client_of_everyday_reads_it(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {door.token}"}) as client:
        reply = await client.get(f"http://127.0.0.1:{door.port}/v1/courses")
    assert (reply.headers["content-encoding"], reply.content) == ("gzip", JSON)
    command = ["curl", "-sS", "--compressed", "-H", f"authorization: Bearer {door.token}"]
    program = await asyncio.create_subprocess_exec(
        *command, f"http://127.0.0.1:{door.port}/v1/courses", stdout=asyncio.subprocess.PIPE
    )
    assert (await program.communicate())[0] == JSON


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(said(b"x" * 511), id="small"),
        pytest.param(said(JSON, kind=b"image/png"), id="no text"),
        pytest.param(said(JSON, kind=b"application/zip"), id="archive"),
        pytest.param(said(JSON, kind=b"text/event-stream"), id="events"),
        pytest.param(said(JSON, b"content-encoding: br"), id="encoded already"),
        pytest.param(said(JSON, b"cache-control: no-store, No-Transform"), id="beside a secret"),
        pytest.param(said(JSON, b'etag: "3"'), id="strong tag"),
        pytest.param(said(JSON, b"content-range: bytes 0-9/90", status=b"206 Partial Content"), id="part"),
    ],
)
async def test_what_it_is_not_for_comes_as_it_is(door: Door, service: RawService, answer: bytes) -> None:
    service.behave = answering(answer)
    reply = await door.ask("GET /v1/courses", GZIP)
    assert reply.body == answer.partition(b"\r\n\r\n")[2]
    assert reply.header("content-encoding") in {None, "br"}


async def test_nothing_of_the_sign_in_is_compressed(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    reply = await door.ask("GET /oauth2/authorize", GZIP, token=False)
    assert (reply.body, reply.header("content-encoding"), reply.header("etag")) == (JSON, None, None)


async def test_a_weak_tag_stays_and_problems_are_compressed(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON, b'etag: W/"a"'))
    reply = await door.ask("GET /v1/courses", GZIP)
    assert (reply.header("etag"), reply.header("content-encoding")) == ('W/"a"', "gzip")
    service.behave = answering(said(JSON, kind=b"application/problem+json", status=b"422 X"))
    reply = await door.ask("POST /v1/courses", GZIP, body=b"{}")
    assert (reply.status, gzip.decompress(reply.body)) == (422, JSON)


async def test_a_head_is_that_of_the_get(door: Door, service: RawService) -> None:
    async def behave(talk: Talk, asked: Asked) -> None:
        await talk.say(said(JSON).partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if asked.method == b"HEAD" else said(JSON))

    service.behave = behave
    wire = await door.wire()
    for method in ("HEAD", "GET", "HEAD"):
        await wire.send(door.head(f"{method} /v1/courses", GZIP))
        reply = await wire.reply(method)
        assert (reply.header("content-encoding"), reply.header("vary")) == ("gzip", "accept-encoding")
        assert bool(reply.body) is (method == "GET")
    await wire.send(door.head("HEAD /v1/courses"))
    assert (await wire.reply("HEAD")).header("content-length") == str(len(JSON))


async def test_pieces_are_readable_as_they_come(door: Door, service: RawService) -> None:
    more = asyncio.Event()

    async def behave(talk: Talk, _asked: Asked) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        await talk.say(head, b"4\r\n{1}\n\r\n")
        await more.wait()
        await talk.say(b"4\r\n{2}\n\r\n0\r\n\r\n")

    service.behave = behave
    wire = await door.wire()
    await wire.send(door.head("GET /v1/courses", GZIP))
    async with asyncio.timeout(20):
        head = await wire.reader.readuntil(b"\r\n\r\n")
        assert b"content-encoding: gzip" in head
        inflater, seen = zlib.decompressobj(31), b""
        while seen != b"{1}\n":
            seen += inflater.decompress(await _chunk(wire))
        more.set()
        while piece := await _chunk(wire):
            seen += inflater.decompress(piece)
    assert (seen, inflater.eof) == (b"{1}\n{2}\n", True)


async def _chunk(wire: Wire) -> bytes:
    size = int(await wire.reader.readuntil(b"\r\n"), 16)
    return (await wire.reader.readexactly(size + 2))[:-2]


@pytest.mark.parametrize("size", [AT_ONCE - 1, AT_ONCE + 1, 65_536, 300_000, 3_000_000])
async def test_a_large_answer_arrives_whole(door: Door, service: RawService, size: int) -> None:
    body = os.urandom(size // 2).hex().encode().ljust(size, b"x")
    service.behave = answering(said(body, kind=b"text/plain; charset=utf-8"))
    reply = await door.ask("GET /v1/courses", GZIP)
    assert reply.complete
    assert reply.header("content-encoding") == "gzip"
    assert gzip.decompress(reply.body) == body


async def test_compressing_gives_others_their_turn() -> None:
    body = JSON * 200
    packing = asyncio.ensure_future(Packer().piece(body, last=True))
    turns = 0
    while not packing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > len(body) // AT_ONCE
    assert gzip.decompress(packing.result()) == body


async def test_an_old_client_is_answered_plain(door: Door, service: RawService) -> None:
    service.behave = answering(said(JSON))
    head = f"GET /v1/courses HTTP/1.0\r\nauthorization: Bearer {door.token}\r\n{GZIP}\r\n\r\n"
    assert (await door.raw(head.encode())).body == JSON
