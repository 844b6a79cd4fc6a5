"""Shows that the proxy breaks a connection in each of the ways it promises."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest
import pytest_asyncio

from testkit.proxy import TcpProxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture
async def echo_port() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(1024):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest_asyncio.fixture
async def proxy(echo_port: int) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(echo_port) as made:
        yield made


@pytest_asyncio.fixture
async def streams(proxy: TcpProxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.transport.abort()


async def say(streams: Streams, words: bytes, seconds: float = 2) -> bytes:
    reader, writer = streams
    writer.write(words)
    async with asyncio.timeout(seconds):
        return await reader.read(1024)


async def is_broken(streams: Streams) -> bool:
    try:
        return await say(streams, b"anyone?") == b""
    except ConnectionError:
        return True


async def test_bytes_pass_both_ways(streams: Streams) -> None:
    assert await say(streams, b"hello") == b"hello"


async def test_a_cut_breaks_present_connections_and_lets_new_ones_pass(proxy: TcpProxy, streams: Streams) -> None:
    assert await say(streams, b"hello") == b"hello"
    await proxy.cut()
    assert await is_broken(streams)
    again = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await say(again, b"hello") == b"hello"
    again[1].transport.abort()


async def test_held_bytes_arrive_after_healing(proxy: TcpProxy, streams: Streams) -> None:
    proxy.hold()
    with pytest.raises(TimeoutError):
        await say(streams, b"hello", seconds=0.1)
    await proxy.heal()
    async with asyncio.timeout(2):
        assert await streams[0].read(1024) == b"hello"


async def test_delayed_bytes_come_late(proxy: TcpProxy, streams: Streams) -> None:
    proxy.delay(0.1)
    began = monotonic()
    assert await say(streams, b"hello") == b"hello"
    assert monotonic() - began >= 0.2


async def test_dropped_bytes_never_arrive(proxy: TcpProxy, streams: Streams) -> None:
    proxy.drop("to_client")
    with pytest.raises(TimeoutError):
        await say(streams, b"lost", seconds=0.1)
    await proxy.heal()
    assert await say(streams, b"hello") == b"hello"


async def test_a_refused_port_comes_back_at_the_same_number(proxy: TcpProxy, streams: Streams) -> None:
    port = proxy.port
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await proxy.heal()
    again = await asyncio.open_connection("127.0.0.1", port)
    assert await say(again, b"hello") == b"hello"
    again[1].transport.abort()


async def test_a_connection_can_be_cut_before_one_particular_answer(proxy: TcpProxy, streams: Streams) -> None:
    proxy.cut_before("to_client", lambda piece: b"acknowledged" in piece)
    assert await say(streams, b"hello") == b"hello"
    streams[1].write(b"acknowledged")
    assert await is_broken(streams)


async def test_a_connection_is_cut_after_so_many_bytes_and_the_next_is_not(proxy: TcpProxy, streams: Streams) -> None:
    proxy.cut_after(8)
    assert await say(streams, b"hello") == b"hel"
    assert await is_broken(streams)
    again = await asyncio.open_connection("127.0.0.1", proxy.port)
    assert await say(again, b"hello") == b"hello"
    again[1].transport.abort()


async def test_an_address_is_led_through_the_proxy_with_its_password(proxy: TcpProxy) -> None:
    assert proxy.through("nats://me:secret@10.1.1.1:4222/x") == f"nats://me:secret@127.0.0.1:{proxy.port}/x"


async def test_a_limited_line_is_shared_by_all_its_connections(proxy: TcpProxy, streams: Streams) -> None:
    proxy.limit(10_000)
    other = await asyncio.open_connection("127.0.0.1", proxy.port)
    began = monotonic()
    for each in (streams, other):
        each[1].write(b"x" * 1_000)
    async with asyncio.timeout(10):
        await asyncio.gather(*(each[0].readexactly(1_000) for each in (streams, other)))
    other[1].transport.abort()
    assert monotonic() - began >= 0.2  # 2 kB at 10 kB/s: as long as that line takes, whatever the machine does
    assert proxy.passed == {"to_server": 2_000, "to_client": 2_000}
