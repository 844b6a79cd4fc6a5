"""The door's memory after very many requests is what it was after the first of them."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from database import new_id
from tests.bench.load import answered_per_second, http_request
from tests.faults import broken
from tests.faults.broken import Breakage
from tests.faults.town import Town, started

PEOPLE = 10
WARM = 5_000
AT_ONCE = 50_000
MOST_GROWTH = 3 * 2**20
_BODY = b'{"items":[' + b",".join([b'{"title":"x"}'] * 60) + b"]}"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)


class _Courses(asyncio.Protocol):
    """A service that answers everything with the same list; each request comes whole, for none is long."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER * data.count(b"\r\n\r\n"))


@asynccontextmanager
async def _service() -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(_Courses, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def growth(town: Town, requests: int, *breakages: Breakage) -> int:
    """Give by how many bytes the door's own memory grew over so many requests of a few people."""
    async with _service() as courses:
        door = town.process("gateway", "api", breakages=breakages, XIANGQIAO_UPSTREAM_LEARNING=courses)
        async with started(door):
            port = int(door.url.rpartition(":")[2])
            await _asked(port, town, WARM)
            before = _own_memory(door.pid)
            for already in range(0, requests, AT_ONCE):
                await _asked(port, town, min(AT_ONCE, requests - already))
            return _own_memory(door.pid) - before


async def _asked(port: int, town: Town, count: int) -> None:
    """Send so many requests, with new tokens: none of them expires meanwhile."""
    people = [town.issuer.headers(new_id()) for _ in range(PEOPLE)]

    def request(number: int) -> bytes | None:
        if number >= count:
            return None
        path, headers = f"/v1/courses?cursor={number}", people[number % PEOPLE]
        if number % 4:
            return http_request("GET", path, headers)
        return http_request("POST", path, headers, b'{"title":"x"}')

    await answered_per_second(port, request, seconds=math.inf)


def _own_memory(pid: int) -> int:
    """Give the bytes of a process's memory that is its own and no file's."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024


@pytest.mark.parametrize("requests", [10_000, pytest.param(1_000_000, marks=pytest.mark.fault)])
async def test_the_doors_memory_does_not_grow_with_requests(town: Town, requests: int) -> None:
    grown = await growth(town, requests)
    print(f"{grown / 1024:,.0f} KiB over {requests:,} requests")  # noqa: T201 - shown with a failure
    assert grown < MOST_GROWTH


async def test_half_a_kilobyte_kept_of_each_request_would_be_seen(town: Town) -> None:
    assert await growth(town, 10_000, broken.door_keeps_a_little_of_each_request) > MOST_GROWTH
