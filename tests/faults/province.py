"""Every service as a process, each behind a proxy, and the door before them; and people who keep asking all of them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from database import new_id
from testkit.proxy import TcpProxy
from tests.faults.broken import Breakage
from tests.faults.town import Member, Town, started
from tests.faults.tree import SECRETARY, TOWNSHIP

BEHIND = ("identity", "members", "activities", "learning", "feedback")
Kind = Literal["stopped", "frozen", "slow", "garbage"]
KINDS: tuple[Kind, ...] = ("stopped", "frozen", "slow", "garbage")

SLOW_SECONDS = 5.0
CALLERS = 8
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Answered:
    """What somebody was answered who asked a service through the door, and after how many seconds."""

    status: int
    retry_after: str | None
    seconds: float


@dataclass
class Times:
    """Seconds that the same request took through the door and straight to its service, in turn."""

    through: list[float] = field(default_factory=list)
    straight: list[float] = field(default_factory=list)

    async def until(self, count: int) -> None:
        """Wait until there are so many."""
        while len(self.through) < count:
            await asyncio.sleep(0.05)

    def beside(self, before: "Times") -> float:
        """Give how many times as long the slowest twentieth takes through the door as it did before.

        What else the machine does makes both ways slow, so each is compared with the way without the door.
        """
        now, then = (_p95(times.through) / _p95(times.straight) for times in (self, before))
        return now / then


@dataclass(frozen=True)
class Province:
    """The running system; `client` is a secretary's, who speaks to the door."""

    services: Mapping[str, Member]
    proxies: Mapping[str, TcpProxy]
    client: httpx.AsyncClient

    async def break_down(self, service: str, kind: Kind) -> None:
        """Let a service fail in this way."""
        proxy, process = self.proxies[service], self.services[service]
        match kind:
            case "stopped":
                await process.stop()
            case "frozen":
                process.freeze()
            case "slow":
                proxy.delay(SLOW_SECONDS)
            case "garbage":
                proxy.spoil("to_client")

    async def mend(self, service: str, kind: Kind) -> None:
        """Let it work again; nothing else is restarted."""
        if kind == "stopped":
            await self.services[service].start()
        elif kind == "frozen":
            self.services[service].thaw()
        await self.proxies[service].heal()

    async def ask(self, service: str) -> Answered:
        """Ask a service something through the door."""
        began = time.perf_counter()
        answer = await self.client.get(_path(service))
        return Answered(answer.status_code, answer.headers.get("retry-after"), time.perf_counter() - began)

    async def get(self, path: str) -> Any:
        """Ask the door itself, which answers whatever happens behind it."""
        return (await self.client.get(path)).raise_for_status().json()

    @asynccontextmanager
    async def callers(self, service: str) -> AsyncIterator[list[Answered]]:
        """Let some people ask a service again and again; gives what they are answered, as it comes."""
        answers: list[Answered] = []

        async def go_on() -> None:
            while True:
                answers.append(await self.ask(service))
                await asyncio.sleep(PAUSE_SECONDS)

        async with _at_work(go_on for _ in range(CALLERS)):
            yield answers

    @asynccontextmanager
    async def timed(self, services: Sequence[str], times: Times) -> AsyncIterator[None]:
        """Measure requests to these services, through the door and straight to them, while the block lasts."""

        async def go_on() -> None:
            while True:
                for service in services:
                    straight = self.services[service].url
                    for url, taken in ((str(self.client.base_url), times.through), (straight, times.straight)):
                        began = time.perf_counter()
                        (await self.client.get(url.rstrip("/") + _path(service))).raise_for_status()
                        taken.append(time.perf_counter() - began)

        async with _at_work([go_on]):
            yield


@asynccontextmanager
async def opened(town: Town, *breakages: Breakage) -> AsyncIterator[Province]:
    """Run the whole system, the door with these mechanisms broken."""
    services = {name: town.process(name, "all") for name in BEHIND}
    async with contextlib.AsyncExitStack() as stack:
        proxies = {
            name: await stack.enter_async_context(TcpProxy(urlsplit(process.url).port or 0))
            for name, process in services.items()
        }
        upstreams = {f"XIANGQIAO_UPSTREAM_{n.upper()}": p.through(services[n].url) for n, p in proxies.items()}
        door = town.process("gateway", "all", breakages=breakages, **upstreams)
        await stack.enter_async_context(started(*services.values(), door))
        headers = town.issuer.headers(new_id(), [(SECRETARY, TOWNSHIP)])
        client = httpx.AsyncClient(base_url=door.url, headers=headers, trust_env=False, timeout=30)
        yield Province(services, proxies, await stack.enter_async_context(client))


@asynccontextmanager
async def _at_work(jobs: Iterable[Callable[[], Any]]) -> AsyncIterator[None]:
    """Do things beside the block, and fail with the first that fails."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job()) for job in jobs]
        yield
        for task in tasks:
            task.cancel()


def _path(service: str) -> str:
    return f"/v1/me/access-log/{service}"


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
