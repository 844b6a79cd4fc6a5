"""Both sides' speed and their leaving: back-pressure, clients that go, clients that stall."""

import asyncio
import hashlib
import os
import socket

from gateway.forwarding import measures

from .door import Door
from .raw_service import Asked, RawService, Talk, until

MIB = 1024 * 1024


def gone() -> float:
    """Count the clients that left so far, whatever they asked."""
    return sum(
        sample.value
        for metric in measures.FORWARDED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["status_class"] == "gone"
    )


async def test_a_client_that_leaves_before_the_answer_ends_the_exchange(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        await talk.head()
        await talk.ended()

    service.converse = converse
    before = gone()
    wire = await door.wire()
    await wire.send(door.head("GET /v1/streams"))
    await service.settled(1)
    await wire.close()
    await service.settled(0)
    assert gone() == before + 1
    assert door.upstreams["learning"].open == 0


async def test_a_client_that_leaves_during_the_answer_ends_the_exchange(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        await talk.head()
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        while True:
            await talk.say(b"data: 1\n\n")
            await asyncio.sleep(0.02)

    service.converse = converse
    wire = await door.wire()
    await wire.send(door.head("GET /v1/streams"))
    assert await wire.reader.readuntil(b"data: 1\n\n")
    await wire.close()
    await service.settled(0)
    assert door.upstreams["learning"].open == 0


async def test_a_client_that_leaves_during_its_body_ends_the_exchange(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        await talk.head()
        assert await talk.reader.readexactly(5) == b"hello"
        await talk.ended()

    service.converse = converse
    wire = await door.wire()
    await wire.send(door.head("POST /v1/streams", f"content-length: {2 * MIB}"), b"hello")
    await service.settled(1)
    await wire.close()
    await service.settled(0)
    assert door.upstreams["learning"].kept_waiting.taken == 0


async def test_a_client_that_leaves_while_its_body_is_waited_for_leaves_nothing(
    door: Door, service: RawService
) -> None:
    before = gone()
    wire = await door.wire()
    await wire.send(door.head("POST /v1/streams", "content-length: 100"), b"hello")
    await until(lambda: door.forwarder.room.taken == 1)
    await wire.close()
    await until(lambda: door.forwarder.room.taken == 0)
    await until(lambda: gone() == before + 1)
    assert service.opened == 0


async def test_a_large_answer_arrives_whole_at_a_slow_reader(door: Door, service: RawService) -> None:
    content = os.urandom(MIB)

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (4 * MIB))
        for _ in range(4):
            await talk.say(content)

    service.behave = behave
    wire = await door.wire()
    await wire.send(door.head("GET /v1/streams"))
    await asyncio.sleep(0.3)
    reply = await wire.reply(seconds=20)
    assert reply.complete
    assert hashlib.sha256(reply.body).digest() == hashlib.sha256(content * 4).digest()
    assert door.upstreams["learning"].idle == 1


async def test_a_service_that_reads_slowly_holds_the_client_back(door: Door, service: RawService) -> None:
    read = asyncio.Event()
    content = os.urandom(65536)

    async def converse(talk: Talk) -> None:
        talk.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        await talk.head()
        await read.wait()
        digest = hashlib.sha256()
        for _ in range(256):
            digest.update(await talk.reader.readexactly(65536))
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 32\r\n\r\n", digest.digest())
        await talk.ended()

    service.converse = converse
    wire = await door.wire()
    sent = 0

    async def upload() -> None:
        nonlocal sent
        await wire.send(door.head("PUT /v1/streams", f"content-length: {16 * MIB}"))
        for _ in range(256):
            await wire.send(content)
            sent += 65536

    uploading = asyncio.create_task(upload())
    await asyncio.sleep(0.4)
    held = sent
    assert held < 14 * MIB
    await asyncio.sleep(0.1)
    assert sent == held
    read.set()
    await uploading
    reply = await wire.reply("PUT", seconds=20)
    assert reply.body == hashlib.sha256(content * 256).digest()


async def test_both_bodies_can_flow_at_the_same_time(door: Door, service: RawService) -> None:
    begun = asyncio.Event()

    async def converse(talk: Talk) -> None:
        await talk.head()
        await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        first = await talk.reader.readuntil(b"\r\n")
        await talk.reader.readexactly(int(first, 16) + 2)
        begun.set()
        for _ in range(5):
            await talk.say(await talk.reader.readexactly(8))
        assert await talk.reader.readexactly(5) == b"0\r\n\r\n"
        await talk.say(b"0\r\n\r\n")
        await talk.ended()

    service.converse = converse
    wire = await door.wire()
    await wire.send(door.head("POST /v1/streams", "transfer-encoding: chunked"))
    await wire.send(b"%x\r\n%b\r\n" % (MIB, bytes(MIB)))  # what is smaller would be waited for
    await begun.wait()
    for number in range(5):
        piece = b"3\r\n%03d\r\n" % number
        await wire.send(piece)
        async with asyncio.timeout(2):
            assert (await wire.reader.readuntil(piece)).endswith(piece)
    await wire.send(b"0\r\n\r\n")
    assert (await wire.reader.readuntil(b"0\r\n\r\n")).endswith(b"0\r\n\r\n")
    assert len(service.open) == 1


async def test_closing_the_gateway_ends_what_is_under_way(door: Door, service: RawService) -> None:
    async def converse(talk: Talk) -> None:
        await talk.head()
        await talk.ended()

    service.converse = converse
    asking = [asyncio.create_task(door.ask("GET /v1/streams")) for _ in range(6)]
    await service.settled(4)
    door.forwarder.close()
    assert {reply.status for reply in await asyncio.gather(*asking)} == {503}
    assert door.upstreams["learning"].open == 0
    await service.settled(0)
