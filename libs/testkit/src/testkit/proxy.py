"""A TCP proxy that a test puts before a server, to cut, hold, slow, drop or spoil what passes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

Direction = Literal["to_server", "to_client"]

_PIECE = 512
"""Bytes that are on a slow line at once."""
_MOST_UNDER_WAY = 16
_SPOILT = bytes(byte ^ 0xA5 for byte in range(256))


class TcpProxy:
    """Forwards a free port of the loopback address to `target_port`; use it in an `async with` block.

    All faults hold for present and new connections until `heal()`.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_seconds = 0.0
        self._dropped: set[Direction] = set()
        self._spoilt: set[Direction] = set()
        self._triggers: dict[Direction, Callable[[bytes], bool]] = {}
        self._passing: int | None = None
        self._rate: int | None = None
        self._free_at: dict[Direction, float] = {}
        self.passed: dict[Direction, int] = {"to_server": 0, "to_client": 0}
        """Bytes that went through since the beginning."""
        self.cuts = 0
        """How often `cut_after` has cut."""
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    def through(self, url: str) -> str:
        """Return the address of the server, changed to lead through this proxy."""
        parts = urlsplit(url)
        credentials = parts.netloc.rpartition("@")[0]
        host = f"127.0.0.1:{self.port}"
        return urlunsplit(parts._replace(netloc=f"{credentials}@{host}" if credentials else host))

    async def cut(self) -> None:
        """Break every present connection at once; new ones pass."""
        cut = list(self._connections)
        for connection in cut:
            connection.cancel()
        await asyncio.gather(*cut, return_exceptions=True)

    async def refuse(self) -> None:
        """Break every connection and refuse new ones, as if the server were gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cut()

    def hold(self) -> None:
        """Let nothing pass either way while connections stay open, as in a network partition; bytes wait."""
        self._flowing.clear()

    def delay(self, seconds: float) -> None:
        """Keep back whatever passes, in each direction, for so long."""
        self._delay_seconds = seconds

    def limit(self, bytes_per_second: int | None) -> None:
        """Let so much pass in each direction, by all connections together, as over one line; None: as much as comes."""
        self._rate = bytes_per_second

    def drop(self, direction: Direction) -> None:
        """Swallow the bytes of one direction."""
        self._dropped.add(direction)

    def spoil(self, direction: Direction) -> None:
        """Turn every byte of one direction into another."""
        self._spoilt.add(direction)

    def cut_before(self, direction: Direction, wanted: Callable[[bytes], bool]) -> None:
        """Break the connection instead of passing the next piece of bytes for which `wanted` is true, once.

        Example: an acknowledgement that never reaches the client is `cut_before("to_client", lambda b: b"seq" in b)`.
        """
        self._triggers[direction] = wanted

    def cut_after(self, size: int) -> None:
        """Break the connection over which so many more bytes have passed, both ways taken together, once."""
        self._passing = size

    async def heal(self) -> None:
        """End every fault; bytes held back go on their way."""
        self._delay_seconds = 0.0
        self._dropped.clear()
        self._spoilt.clear()
        self._triggers.clear()
        self._passing = None
        self._rate = None
        self._flowing.set()
        if self._server is None:
            await self._listen()

    def _target(self) -> int:
        return self._target_port

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._connections.add(task)
        server_writer: asyncio.StreamWriter | None = None
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump("to_server", reader, server_writer))
                group.create_task(self._pump("to_client", server_reader, writer))
        except* OSError:
            pass  # either side went away, or the fault was to cut: both sides are closed below
        except* asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            for side in (writer, server_writer):
                if side is not None:
                    side.transport.abort()

    async def _pump(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_UNDER_WAY)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(direction, reader, under_way))
            group.create_task(self._hand_on(direction, under_way, writer))

    async def _take(
        self, direction: Direction, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        """Read what comes, at the line's rate, with when it is to arrive; nothing at the end."""
        now = asyncio.get_running_loop().time
        while piece := await reader.read(_PIECE if self._rate else 65_536):
            if self._rate:
                free = max(now(), self._free_at.get(direction, 0.0)) + len(piece) / self._rate
                self._free_at[direction] = free
                await asyncio.sleep(free - now())
            await self._flowing.wait()
            await under_way.put((now() + self._delay_seconds, piece))
        await under_way.put((now() + self._delay_seconds, b""))

    async def _hand_on(
        self, direction: Direction, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, piece = await under_way.get()
            if due > now():
                await asyncio.sleep(due - now())
            if not piece:
                break
            await self._flowing.wait()
            if direction in self._dropped:
                continue
            trigger = self._triggers.get(direction)
            if trigger is not None and trigger(piece):
                del self._triggers[direction]
                raise ConnectionResetError("cut by the test")
            if self._passing is not None:
                piece = piece[: self._passing]
                self._passing -= len(piece)
            self.passed[direction] += len(piece)
            writer.write(piece.translate(_SPOILT) if direction in self._spoilt else piece)
            await writer.drain()
            if self._passing == 0:
                self._passing = None
                self.cuts += 1
                raise ConnectionResetError("cut by the test")
        with suppress(OSError, RuntimeError):  # the other side may be closed already
            writer.write_eof()


class VirtualService(TcpProxy):
    """One address for several servers, as a cluster gives it: each new connection goes to the next one that is known.

    What goes through a connection stays on it: one to a server that was forgotten lasts as long as both sides keep it.
    """

    def __init__(self, *ports: int) -> None:
        super().__init__(0)
        self._known = list(ports)
        self._turn = 0

    def know(self, port: int) -> None:
        """Send connections to this server, too."""
        self._known.append(port)

    async def forget(self, port: int, *, late_seconds: float) -> None:
        """Send none to this server any more, once the news of its leaving has come here."""
        await asyncio.sleep(late_seconds)
        self._known.remove(port)

    def _target(self) -> int:
        self._turn += 1
        return self._known[self._turn % len(self._known)]
