"""[home] Homes answered a second with a province's items in the table, beside the bare query that each needs."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import httpx

import orgtree
from database import utc_now
from gateway.home.kinds import KINDS
from gateway.home.queries import STATEMENTS
from testkit.tokens import TokenIssuer
from tests.bench import province
from tests.bench.forward import opened_gateway
from tests.bench.load import answered_per_second, http_request
from tests.bench.results import Result
from tests.bench.stage import Stage, cpu_seconds, median_pair, percentile

ROUNDS = 3
SECONDS = 4.0
READERS = 1_000
AT_ONCE = 8
LIMIT = 20
PATH = f"/v1/home?limit={LIMIT}"
MAKING_SECONDS = 180.0
NOWHERE = 1
"""No service listens at this port: a home needs none."""

_READERS = "select named('person' || n) from generate_series(0, $1::int - 1, $2::int) as n"

_BACKENDS = "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"


async def measure(stage: Stage) -> list[Result]:
    """Ask for the homes of people all over the province, whole and as their query alone."""
    async with _province(stage) as (url, items):
        people = await _people(url, items, stage.of(READERS))
        with TokenIssuer() as issuer:
            headers = [issuer.headers(person) for person in people]
            asked = [http_request("GET", PATH, each) for each in headers]
            seconds = stage.seconds(SECONDS)
            async with opened_gateway(stage, issuer, NOWHERE, url=url) as (port, gateway), _bare(url, people) as bare:
                await bare(seconds)  # what both read is in memory then

                async def whole(seconds: float) -> float:
                    return seconds * await answered_per_second(
                        port, lambda number: asked[number % len(asked)], connections=AT_ONCE, seconds=seconds
                    )

                value, most = await median_pair(
                    stage.of(ROUNDS),
                    lambda: _per_processor_second(url, gateway.pid, whole, seconds),
                    lambda: _per_processor_second(url, os.getpid(), bare, seconds),
                )
                slow = percentile(await _milliseconds(port, headers), 0.95)
    size = f"{items:,} items" + ("" if items >= province.ITEMS else f" (`make province` makes {province.ITEMS:,})")
    beside = f"and bare queries, for each second of a core, the database's too; {size}"
    return [
        Result("home", value, "homes/s", most, 0.5, note=beside),
        Result("home-p95", slow, "ms", 50, 1.0, "at_most", f"one home after the other; {size}"),
    ]


@asynccontextmanager
async def _province(stage: Stage) -> AsyncIterator[tuple[str, int]]:
    """Give a gateway's database with a province's homes: what was made of it, or what is made in three minutes."""
    if stage.share < 1:
        url = await stage.database_url("province")
        yield url, await province.make(url, province.COUNTY_ITEMS)
        return
    async with province.opened() as url:
        there = province.made()
        yield url, await province.make(url, there or province.ITEMS, seconds=MAKING_SECONDS, folder=province.FOLDER)


async def _people(url: str, items: int, count: int) -> list[UUID]:
    """Give people of every county who have done a part of what there is."""
    people = items // province.COUNTY_ITEMS * province.PEOPLE
    step = max(1, people // province.READERS_OF // count) * province.READERS_OF
    connection = await asyncpg.connect(url)
    found = await connection.fetch(_READERS, people, step)
    await connection.close()
    return [row[0] for row in found]


@asynccontextmanager
async def _bare(url: str, people: Sequence[UUID]) -> AsyncIterator[Callable[[float], Awaitable[float]]]:
    """Give what asks the query alone for so many seconds and says how often it did in one."""
    mine = [kind.name for kind in KINDS.values() if kind.audience == "person"]
    all_members = [kind.name for kind in KINDS.values() if kind.audience == "members"]
    connections = [await asyncpg.connect(url) for _ in range(AT_ONCE)]

    async def asked(connection: asyncpg.Connection, first: int, until: float) -> int:
        number = 0
        while time.perf_counter() < until:
            person = people[(first + number * AT_ONCE) % len(people)]
            given: tuple[object, ...] = (person, mine, all_members, orgtree.ROOT_ID, [], [], utc_now(), LIMIT + 1)
            await connection.fetch(STATEMENTS["since", False], *given)
            number += 1
        return number

    async def ask(seconds: float) -> float:
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(asked(each, first, until) for first, each in enumerate(connections))))

    yield ask
    for connection in connections:
        await connection.close()


async def _per_processor_second(url: str, pid: int, work: Callable[[float], Awaitable[float]], seconds: float) -> float:
    """Give how much is done for each second of a core that a process and all its database's backends take.

    What else the machine does lengthens the one, which waits for a turn of the gateway, more than the other.
    """
    connection = await asyncpg.connect(url)
    backends = [row[0] for row in await connection.fetch(_BACKENDS)]
    before = sum(map(cpu_seconds, [pid, *backends]))
    done = await work(seconds)
    backends = [row[0] for row in await connection.fetch(_BACKENDS)]
    spent = sum(map(cpu_seconds, [pid, *backends])) - before
    await connection.close()
    return done / spent


async def _milliseconds(port: int, headers: Sequence[dict[str, str]]) -> list[float]:
    """Ask for one home after the other, and give how long each took."""
    took = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for each in headers:
            began = time.perf_counter()
            (await client.get(PATH, headers=each)).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return took
