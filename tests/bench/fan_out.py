"""[change-fan-out] and [change-fan-out-memory]: what it costs the gateway to tell many who listen."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import cast
from uuid import UUID

import orgtree
from database import Database, new_id
from gateway.change_log import Row, write
from standalone import processes
from testkit.service_process import ServiceProcess
from testkit.tokens import TokenIssuer
from tests.bench.bare_fan_out import EVERY_SECONDS
from tests.bench.forward import opened_gateway
from tests.bench.idle import resident_bytes
from tests.bench.load import http_request
from tests.bench.results import Result
from tests.bench.stage import Stage, cpu_seconds, median_pair

ROUNDS = 3
SECONDS = 8.0
CLIENTS = 500
LARGEST = 50  # kB that a client may take
_EVENT = b"event: change"


async def measure(stage: Stage) -> list[Result]:
    """Tell every client of ten changes a second, and write as much to as many sockets of a bare loop."""
    count = stage.of(CLIENTS, least=20)
    async with AsyncExitStack() as stack:
        issuer = stack.enter_context(TokenIssuer())
        port, process = await stack.enter_async_context(opened_gateway(stage, issuer, processes.free_port()))
        bare_port = processes.free_port()
        bare = ServiceProcess(
            [sys.executable, "-m", "tests.bench.bare_fan_out"],
            log=stage.folder / "bare.log",
            environment={"BARE_PORT": str(bare_port)},
        )
        await stack.enter_async_context(bare)
        while processes.is_port_free(bare_port):
            await asyncio.sleep(0.05)
        database = await stack.enter_async_context(stage.database(stage.postgres.url("gateway")))
        requests = [http_request("GET", "/v1/events", issuer.headers(UUID(int=1 + number))) for number in range(count)]
        warm = await _connected(stack, port, requests[:5])  # what the first ones cost, all have
        before = resident_bytes(process.pid)
        clients = await _connected(stack, port, requests[5:])
        memory = (resident_bytes(process.pid) - before) / len(clients) / 1000
        clients += warm
        plain = await _connected(stack, bare_port, requests)
        seconds = stage.seconds(SECONDS)
        value, most = await median_pair(
            stage.of(ROUNDS),
            lambda: _told(clients, process.pid, lambda: _changing(database, seconds)),
            lambda: _told(plain, bare.pid, lambda: _passing(seconds)),
        )
    note = f"{count} clients, 10 changes a second for each, for each second of one core; a bare loop writes as much"
    return [
        Result("change-fan-out", value, "events/s", most, 0.3, note=note),
        Result(
            "change-fan-out-memory", memory, "kB/client", LARGEST, 1.0, "at_most", "what each of these clients takes"
        ),
    ]


class _Client(asyncio.Protocol):
    """Counts the events of one stream."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._rest = b""
        self.is_open = asyncio.Event()
        self.events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        assert self.is_open.is_set() or data.startswith(b"HTTP/1.1 200"), data
        self.is_open.set()
        data = self._rest + data
        self.events += data.count(_EVENT)
        self._rest = data[1 - len(_EVENT) :]


async def _connected(stack: AsyncExitStack, port: int, requests: Sequence[bytes]) -> list[_Client]:
    loop = asyncio.get_running_loop()
    clients = []
    for request in requests:
        _, client = await loop.create_connection(lambda request=request: _Client(request), "127.0.0.1", port)  # type: ignore[misc]
        stack.callback(client.transport.abort)
        await client.is_open.wait()
        clients.append(client)
    return clients


async def _told(clients: Sequence[_Client], pid: int, work: Callable[[], Awaitable[int]]) -> float:
    """Give the events that came, for each second of the server's processor time; `work` says how many must for each."""
    before, used = sum(client.events for client in clients), cpu_seconds(pid)
    most = before + len(clients) * await work()
    async with asyncio.timeout(20):
        while (told := sum(client.events for client in clients)) < most:
            await asyncio.sleep(0.05)
    return (told - before) / (cpu_seconds(pid) - used)


async def _passing(seconds: float) -> int:
    await asyncio.sleep(seconds)
    return 1


async def _changing(database: Database, seconds: float) -> int:
    """Change things that all see, ten times a second; of one that changes twice in a moment only the last is told."""
    loop = asyncio.get_running_loop()
    at, everybody, count = loop.time(), f"members:{orgtree.ROOT_ID}", int(seconds / EVERY_SECONDS)
    for _ in range(count):
        async with database.raw_transaction() as connection:
            row = Row("courses", new_id(), everybody, 1, gone=False, part=False)
            await write(connection, "change", [row])
        at += EVERY_SECONDS
        await asyncio.sleep(max(0.0, at - loop.time()))
    return count
