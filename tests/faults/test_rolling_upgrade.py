"""A release is rolled out and back while people work, and none of their requests fails, though nobody sends twice."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from database import asyncpg_dsn, new_id
from testkit.proxy import VirtualService
from testkit.service_process import ServiceProcess
from tests.faults import broken, next_release
from tests.faults.broken import Breakage, command
from tests.faults.stage import until
from tests.faults.town import ROOT, Member, Town, started
from tests.faults.tree import BRANCHES, CATEGORY

LEAVE_SECONDS = "4"
LATE_SECONDS = 2.0
"""How much later than the process the service in front of it hears that it leaves."""
PEOPLE = 8
MOST_OF_ONE_PERSON = 15
ENOUGH = 100
"""Requests that say how it is now."""


@dataclass
class People:
    """Who works through the door: each opens a case, without a key and once, looks at it, and goes on."""

    town: Town
    door: str
    opened: int = 0
    answers: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    has_urgency: Counter[int] = field(default_factory=Counter)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let them work as long as the block lasts, and finish what they have begun."""
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(PEOPLE):
                group.create_task(self._work(random.Random(number), done))  # noqa: S311 - no secret
            try:
                yield
            finally:
                done.set()

    async def until_more(self, wanted: int = ENOUGH) -> None:
        """Wait for so many more answers."""
        enough = self.answers + wanted

        async def is_enough() -> bool:
            return self.answers >= enough

        await until(is_enough)

    async def _work(self, chance: random.Random, done: asyncio.Event) -> None:
        async with httpx.AsyncClient(base_url=self.door, trust_env=False, timeout=30) as client:
            while not done.is_set():
                headers = self.town.issuer.headers(new_id(), [])
                for _ in range(MOST_OF_ONE_PERSON):
                    await self._see_through(client, headers, chance)
                    if done.is_set():
                        return

    async def _see_through(self, client: httpx.AsyncClient, headers: dict[str, str], chance: random.Random) -> None:
        body = {"category": CATEGORY, "organisation_id": str(chance.choice(BRANCHES)), "text": "路灯坏了"}
        opened = await self._ask(client, "POST", "/v1/cases", headers, body)
        if opened is None:
            return
        self.opened += 1
        path = opened.headers["location"]
        await self._ask(client, "GET", path, headers)
        urged = await self._ask(client, "POST", f"{path}/urgency", headers)
        self.has_urgency[urged.status_code if urged is not None else 0] += 1

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], body: object = None
    ) -> httpx.Response | None:
        """Ask once; gives no answer where it failed. That a route is not there yet is an answer."""
        self.answers += 1
        try:
            answer = await client.request(method, path, headers=headers, json=body)
        except httpx.TransportError as error:
            self.failed[type(error).__name__] += 1
            return None
        if answer.is_success or (answer.status_code == 404 and path.endswith("/urgency")):
            return answer
        self.failed[f"{method} {answer.status_code}"] += 1
        return None


def port_of(member: Member) -> int:
    return urlsplit(member.url).port or 0


@dataclass
class Rollout:
    """Two APIs of feedback behind an address of their own, the door before it, and people who work."""

    town: Town
    service: VirtualService
    present: list[Member]
    people: People
    leave_seconds: str

    def release(self, python_path: str | None = None) -> Member:
        """Make a process of this release, or of the one that is found there."""
        path = python_path or str(ROOT)
        return self.town.process("feedback", "all", XIANGQIAO_LEAVE_SECONDS=self.leave_seconds, PYTHONPATH=path)

    async def replace(self, python_path: str | None = None) -> list[int]:
        """Replace one API after the other: the new one first. Gives the exit statuses of the old ones."""
        statuses = []
        for old in list(self.present):
            new = self.release(python_path)
            self.present.append(new)
            await new.start()
            self.service.know(port_of(new))
            statuses.append(await self.leave(old))
            await self.people.until_more()
        return statuses

    async def leave(self, old: Member) -> int:
        """End an API in order, and let the address hear of it late; gives its exit status."""
        self.present.remove(old)
        stopping = asyncio.create_task(old.stop(timeout_seconds=60))
        await self.service.forget(port_of(old), late_seconds=LATE_SECONDS)
        return await stopping

    async def migrate(self, log: Path, python_path: str | None = None) -> int:
        """Run a release's migration beside all that runs; gives its exit status."""
        like = self.release(python_path)
        process = ServiceProcess(command("feedback", "migrate"), log=log, environment=like._environment)
        await process.start()

        async def has_ended() -> bool:
            return not process.is_running

        await until(has_ended)
        return await process.stop()


@asynccontextmanager
async def rolling(town: Town, leave_seconds: str = LEAVE_SECONDS) -> AsyncIterator[Rollout]:
    """Start the system and let people work."""
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(VirtualService())
        door = town.process("gateway", "all", XIANGQIAO_UPSTREAM_FEEDBACK=f"http://127.0.0.1:{service.port}")
        rollout = Rollout(town, service, [], People(town, door.url), leave_seconds)
        rollout.present = [rollout.release() for _ in range(2)]
        await stack.enter_async_context(started(*rollout.present, door))
        for member in rollout.present:
            service.know(port_of(member))
        stack.push_async_callback(stop_all, rollout.present)
        async with rollout.people.at_work():
            await rollout.people.until_more()
            yield rollout


async def stop_all(members: Sequence[Member]) -> None:
    await asyncio.gather(*(member.stop(timeout_seconds=60) for member in members))


async def value(url: str, query: str) -> int:
    connection = await asyncpg.connect(asyncpg_dsn(url))
    found: int = await connection.fetchval(query)
    await connection.close()
    return found


async def test_an_api_leaves_unnoticed_though_the_address_before_it_hears_of_it_late(town: Town) -> None:
    async with rolling(town) as rollout:
        assert await rollout.leave(rollout.present[0]) == 0
        await rollout.people.until_more()
    assert rollout.people.failed == {}


@pytest.mark.fault
async def test_a_release_is_rolled_out_and_back_and_nobody_notices(town: Town, tmp_path: Path) -> None:
    later = next_release.lay(tmp_path / "next")
    async with rolling(town) as rollout:
        people = rollout.people
        assert await rollout.migrate(tmp_path / "migrate.log", later) == 0
        assert await rollout.replace(later) == [0, 0]
        urged = people.has_urgency.copy()
        assert await rollout.migrate(tmp_path / "migrate-back.log") == 0, "the release before finds nothing to do"
        assert await rollout.replace() == [0, 0]
        before = people.has_urgency[200]
        await people.until_more()
        assert people.has_urgency[200] == before, "nobody of the next release is left"
    assert people.failed == {}
    assert urged[404] > 0
    assert urged[200] > 0
    feedback, gateway = town.addresses.feedback, town.addresses.gateway
    assert await value(feedback, "select count(*) from feedback_case") == people.opened, "each took effect once"
    assert await value(feedback, "select count(*) from feedback_case where urgent") == people.has_urgency[200]
    assert await value(gateway, "select count(*) from parked") == 0, "who follows cases reads the events of both"


@pytest.mark.fault
async def test_who_shuts_the_door_at_once_turns_people_away(town: Town) -> None:
    async with rolling(town, leave_seconds="0") as rollout:
        await rollout.leave(rollout.present[0])
        await rollout.people.until_more()
    assert rollout.people.failed["POST 502"] + rollout.people.failed["POST 503"] > 0


async def failures_beside_a_dead_api(town: Town, *breakages: Breakage) -> Counter[str]:
    """Kill one of two APIs whose addresses the door knows; gives how requests failed that began after that."""
    apis = [town.process("feedback", "api") for _ in range(2)]
    addresses = ",".join(api.url for api in apis)
    door = town.process("gateway", "all", breakages=breakages, XIANGQIAO_UPSTREAM_FEEDBACK=addresses)
    async with started(*apis, door):
        apis[0].kill()
        people = People(town, door.url)
        async with people.at_work():
            await people.until_more()
    return people.failed


@pytest.mark.fault
async def test_a_refused_connection_is_tried_at_the_other_api(town: Town) -> None:
    assert await failures_beside_a_dead_api(town) == {}
    failed = await failures_beside_a_dead_api(town, broken.door_tries_no_other_address)
    assert failed["POST 502"] + failed["POST 503"] > 0
