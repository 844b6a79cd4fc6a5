"""A service on a real socket that answers byte for byte as a test says, and remembers what it was asked."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Asked:
    """A request as it came over the wire."""

    head: bytes
    body: bytes = b""
    lines: list[bytes] = field(default_factory=list)

    @property
    def target(self) -> bytes:
        return self.lines[0].split(b" ")[1]

    @property
    def method(self) -> bytes:
        return self.lines[0].split(b" ")[0]

    def all(self, name: bytes) -> list[bytes]:
        """Give the values of each header line called `name`."""
        pairs = (line.split(b": ", 1) for line in self.lines[1:])
        return [value for key, value in pairs if key.lower() == name]

    def header(self, name: bytes) -> bytes | None:
        """Give the value of the only header line called `name`, None without one."""
        found = self.all(name)
        assert len(found) <= 1, f"{name!r} came {len(found)} times"
        return found[0] if found else None


class Talk:
    """One connection, as the service's side sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> Asked:
        """Read a head; IncompleteReadError at the connection's end."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        return Asked(head, lines=head[:-4].split(b"\r\n"))

    async def request(self) -> Asked:
        """Read a head and its whole body."""
        asked = await self.head()
        length = asked.header(b"content-length")
        if asked.header(b"transfer-encoding") is not None:
            assert length is None
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                asked.body += await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
        elif length is not None:
            asked.body = await self.reader.readexactly(int(length))
        return asked

    async def say(self, *data: bytes) -> None:
        """Write."""
        self.writer.write(b"".join(data))
        await self.writer.drain()

    async def ended(self) -> None:
        """Wait until the other side has closed the connection."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Break the connection, so that the other side sees an error and not its end."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that no one tells."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


Behaviour = Callable[[Talk, Asked], Awaitable[None]]
Conversation = Callable[[Talk], Awaitable[None]]


def answering(*data: bytes) -> Behaviour:
    """Answer every request with `data`."""

    async def behave(talk: Talk, _asked: Asked) -> None:
        await talk.say(*data)

    return behave


class RawService:
    """`behave` answers each request of each connection; `converse`, if given, has a whole connection for itself."""

    def __init__(
        self,
        behave: Behaviour | None = None,
        *,
        converse: Conversation | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._place = host, port
        self.behave = behave or answering(OK)
        self.converse = converse or self._requests
        self.asked: list[Asked] = []
        self.opened = 0
        self.open: set[Talk] = set()
        self.errors: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url, self.port = "", 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, *self._place)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self._place[0]}:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for talk in self.open:
            talk.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        if kind is None and self.errors:
            raise self.errors[0]

    async def settled(self, connections: int, seconds: float = 60.0) -> None:
        """Wait until so many connections are open."""
        await until(lambda: len(self.open) == connections, seconds)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        talk = Talk(reader, writer)
        self.opened += 1
        self.open.add(talk)
        try:
            await self.converse(talk)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - shown when the test leaves the service
            self.errors.append(error)
        finally:
            self.open.discard(talk)
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _requests(self, talk: Talk) -> None:
        while True:
            asked = await talk.request()
            self.asked.append(asked)
            await self.behave(talk, asked)
