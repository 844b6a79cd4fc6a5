"""The gateway on a real socket before services of the test's, and a client that sends raw bytes and reads strictly."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import h11
import uvicorn
from uvicorn.server import ServerState

from gateway.edge.breaker import Breaking
from gateway.forwarding.client import Receive, Send
from gateway.forwarding.crowd import Crowd
from gateway.forwarding.edge import edge
from gateway.forwarding.endings import Endings, Forms
from gateway.forwarding.forwarder import Application, Forwarder, Scope
from gateway.forwarding.limits import Limits, Timeouts
from gateway.forwarding.proxies import behind_proxies
from gateway.forwarding.routing import Route, RoutingTable
from gateway.forwarding.slow_clients import Patience
from gateway.forwarding.upstream import Upstream
from gateway.quotas.bucket import Rate
from gateway.quotas.buckets import Quotas
from webapi import Authenticator

PUBLIC_URL = "https://xiangqiao.test"
UNLIMITED = 1_000_000_000
PATIENCE_SECONDS = 60.0
"""Far more than anything takes here: what a client sees is told by what was said, not by how long it took."""
PATIENT = Timeouts(
    connect=PATIENCE_SECONDS,
    queue=PATIENCE_SECONDS,
    first_byte=PATIENCE_SECONDS,
    idle=PATIENCE_SECONDS,
    total=PATIENCE_SECONDS,
    watch_after=0.05,
)
HASTY = {
    "first-byte": replace(PATIENT, first_byte=0.4),
    "idle": replace(PATIENT, idle=0.4),
    "queue": replace(PATIENT, queue=0.3),
    "total": replace(PATIENT, total=2.0),
}
"""Impatient in one thing each, so that on a slow machine no other time is up before it."""
UNBROKEN = Breaking(in_a_row=1_000_000, least=1_000_000)
"""No breaker opens: what a test says of single failures stays true."""
UNHURRIED = Patience(span=PATIENCE_SECONDS)
SMALL = Limits(connections=4, sweep_seconds=0.02)


@dataclass
class Reply:
    """An answer as a strict client reads it; `complete` is False when the connection ended inside it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    complete: bool = False
    closed: bool = False

    def header(self, name: str) -> str | None:
        """Give the value of the only header called `name`."""
        found = [value.decode() for key, value in self.headers if key == name.encode()]
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document."""
        assert self.header("content-type") == "application/problem+json"
        content = json.loads(self.body)
        assert content["status"] == self.status
        return dict(content)


class Wire:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._left = b""

    async def send(self, *data: bytes) -> None:
        """Write raw bytes."""
        self.writer.write(b"".join(data))
        await self.writer.drain()

    async def reply(self, method: str = "GET", seconds: float = PATIENCE_SECONDS) -> Reply:
        """Read one answer."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        parser.send(h11.EndOfMessage())
        if self._left:
            parser.receive_data(self._left)
            self._left = b""
        reply = Reply(0, [])
        async with asyncio.timeout(seconds):
            while True:
                try:
                    event = parser.next_event()
                except h11.RemoteProtocolError:
                    return reply
                if event is h11.NEED_DATA:
                    data = await self._read()
                    reply.closed = reply.closed or not data
                    parser.receive_data(data)
                elif isinstance(event, h11.Response):
                    reply.status, reply.headers = event.status_code, list(event.headers)
                elif isinstance(event, h11.Data):
                    reply.body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    reply.complete = True
                    self._left = parser.trailing_data[0]
                    return reply
                elif isinstance(event, h11.ConnectionClosed):
                    return reply

    async def is_closed(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait whether the gateway closes the connection."""
        try:
            async with asyncio.timeout(seconds):
                return await self._read() == b""
        except TimeoutError:
            return False

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _read(self) -> bytes:
        try:
            return await self.reader.read(65536)
        except ConnectionError:
            return b""


async def behind(scope: Scope, _receive: Receive, send: Send) -> None:
    """Stand in for the application behind the forwarder: says "behind" to whatever reaches it, 404 to what is gone."""
    status = 404 if scope["path"].endswith("/gone") else 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"behind"})


@dataclass
class Door:
    """A running gateway."""

    forwarder: Forwarder
    upstreams: Mapping[str, Upstream]
    port: int
    token: str
    wires: list[Wire] = field(default_factory=list)

    async def wire(self, address: str = "127.0.0.1") -> Wire:
        """Open a client's connection from one of this machine's addresses."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)))
        self.wires.append(wire)
        return wire

    def head(self, line: str, *headers: str | bytes, token: bool = True) -> bytes:
        """Write a head: `line` is "GET /path"."""
        lines: list[str | bytes] = [f"{line} HTTP/1.1", "host: anything.test"]
        lines += [f"authorization: Bearer {self.token}"] if token else []
        return b"\r\n".join(x if isinstance(x, bytes) else x.encode() for x in (*lines, *headers, "", ""))

    async def ask(self, line: str, *headers: str | bytes, body: bytes = b"", token: bool = True) -> Reply:
        """Send one request on a connection of its own and read the answer."""
        if body:
            headers = (*headers, f"content-length: {len(body)}")
        return await self.raw(self.head(line, *headers, token=token) + body, method=line.split(" ", maxsplit=1)[0])

    async def raw(self, data: bytes, method: str = "GET") -> Reply:
        """Send raw bytes on a connection of its own and read the answer."""
        wire = await self.wire()
        await wire.send(data)
        reply = await wire.reply(method)
        await wire.close()
        return reply


def unlimited() -> Quotas:
    """Give quotas that are known and keep nobody out."""
    everything = Rate(UNLIMITED, at_once=UNLIMITED)
    quotas = Quotas(UNLIMITED, person=everything, address=everything, refused=everything)
    quotas.replace({})
    return quotas


@asynccontextmanager
async def opened(
    routes: Iterable[Route],
    upstreams: Mapping[str, str],
    authenticator: Authenticator,
    token: str,
    *,
    limits: Limits = SMALL,
    quotas: Quotas | None = None,
    patience: Patience = UNHURRIED,
    endings: Endings = (),
    unrecorded: Forms = (),
    trusted_proxies: str = "",
    application: Application = behind,
    send_buffer: int | None = None,
    most_connections: int = UNLIMITED,
    breaking: Breaking = UNBROKEN,
) -> AsyncIterator[Door]:
    """Run a gateway before the services at `upstreams` (name -> URLs); the kernel holds `send_buffer` for a client."""
    pools = {name: Upstream(name, urls, limits=limits, breaking=breaking) for name, urls in upstreams.items()}
    forwarder = Forwarder(
        application,
        routes=RoutingTable(routes),
        upstreams=pools,
        authenticator=authenticator,
        public_url=PUBLIC_URL,
        quotas=unlimited() if quotas is None else quotas,
        patience=patience,
        endings=endings,
        unrecorded=unrecorded,
    )
    config = uvicorn.Config(
        behind_proxies(forwarder, trusted_proxies),
        http=(protocol := edge(patience, Crowd(most_connections))),
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0), backlog=1000)
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = await loop.create_server(lambda: protocol(config, state, {}), sock=listening)
    door = Door(forwarder, pools, server.sockets[0].getsockname()[1], token)
    try:
        yield door
    finally:
        for wire in door.wires:
            await wire.close()
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await server.wait_closed()
        forwarder.close()
