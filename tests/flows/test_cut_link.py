"""What two people did offline reaches the owners over links that cut: each act once, with one result for it."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import orjson

from database import new_id
from standalone.data_directory import DataDirectory
from testkit.proxy import TcpProxy
from tests.flows.conftest import System
from tests.flows.people import Person
from tests.flows.test_journey import a_meeting

SEED = 20261201
CUTS = 25
"""Of each of two people's links."""
MEETINGS, LESSONS, CASES, CONFIRMED, SHEETS = 15, 10, 7, 8, 8
LINES = "application/x-ndjson"

Act = dict[str, Any]


class Device:
    """A phone: the acts that its owner does, in their order, and what the phone was told of each."""

    def __init__(self, person: Person, person_id: str) -> None:
        self.person = person
        self.person_id = person_id
        self.acts: list[Act] = []
        self.told: dict[str, set[str]] = {}
        self.other: Counter[str] = Counter()
        self.cuts = 0
        self._began = datetime.now(UTC)
        self._minutes = count()

    def does(self, kind: str, subject_id: str, *, base_version: int | None = None, **body: Any) -> None:
        """Let the owner do something."""
        acted_at = self._began + timedelta(milliseconds=next(self._minutes))
        act = {"op_id": str(new_id()), "person_id": self.person_id, "kind": kind, "subject_id": subject_id}
        self.acts.append({**act, "base_version": base_version, "acted_at": acted_at.isoformat(), "body": body})

    def waiting(self, acts: Sequence[Act]) -> list[Act]:
        """Give those of which no final result came."""
        return [act for act in acts if act["op_id"] not in self.told]

    async def send(self, client: httpx.AsyncClient, acts: Sequence[Act], *, lines: bool) -> None:
        """Send acts, and note what arrives of the answer before the link breaks."""
        headers = {"Authorization": f"Bearer {await self.person.token()}", "Accept": LINES if lines else "*/*"}
        envelope = {"device_id": "phone", "ops": acts}
        try:
            async with client.stream("POST", "/v1/sync/push", json=envelope, headers=headers) as answer:
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:  # what was sent before is still under way
                    await asyncio.sleep(0.5)
                    return
                assert answer.status_code == httpx.codes.OK, await answer.aread()
                if lines:
                    async for line in answer.aiter_lines():
                        self._note(orjson.loads(line))
                else:
                    for result in orjson.loads(await answer.aread())["results"]:
                        self._note(result)
        except (httpx.TransportError, orjson.JSONDecodeError):
            self.cuts += 1

    def _note(self, result: dict[str, Any]) -> None:
        final = {"applied": "done", "duplicate": "done", "rejected": "rejected"}.get(result["result"])
        if final is None:
            self.other[f"{result['result']} {result['status']}"] += 1
            return
        self.told.setdefault(result["op_id"], set()).add(final)


async def test_two_hundred_actions_over_a_link_that_cuts_give_two_hundred(system: System) -> None:
    async with (
        system.person("away.demo") as member,
        system.person("secretary.demo") as secretary,
        system.person("registrar.demo") as registrar,
    ):
        course = {
            "organisation_id": str(system.seeded.county_id),
            "title": "离线学习",
            "lessons": [{"title": f"第 {number} 课", "kind": "text", "body": "正文"} for number in range(LESSONS)],
        }
        made = await registrar.post("/v1/courses", course)
        lessons = [lesson["lesson_id"] for lesson in made["lessons"]]
        meetings = [(await secretary.post("/v1/activities", a_meeting(system)))["activity_id"] for _ in range(MEETINGS)]
        of_paper = [(await secretary.post("/v1/activities", a_meeting(system)))["activity_id"] for _ in range(SHEETS)]
        answered = [await an_answered_case(system, member, secretary) for _ in range(CONFIRMED)]
        devices = [
            Device(member, system.person_id("away.demo")),
            Device(secretary, system.person_id("secretary.demo")),
        ]
        for device in devices:
            await a_day_of(system, device, meetings, lessons)
        for case_id in answered:
            devices[0].does("case.confirm", case_id)
        for activity_id in of_paper:
            devices[1].does("sheet.enter", activity_id, person_ids=[devices[0].person_id])
        assert [len(device.acts) for device in devices] == [100, 100]
        before = [await version_of_file(device.person) for device in devices]

        await asyncio.gather(*(over_a_link_that_cuts(system.url, device, seed) for seed, device in enumerate(devices)))

        for device in devices:
            assert device.cuts == CUTS
            assert device.told == {act["op_id"]: {"done"} for act in device.acts}, device.other
        effects = await asyncio.gather(*(effects_of(each, meetings, lessons) for each in devices))
        after = [await version_of_file(device.person) for device in devices]
        revised = [now - then for now, then in zip(after, before, strict=True)]
        confirmed = [(await member.get(f"/v1/cases/{case_id}"))["status"] for case_id in answered].count("confirmed")
        papers = [await secretary.get(f"/v1/activities/{each}/participations") for each in of_paper]
        on_paper = [part["provenance"] for paper in papers for part in paper["items"]].count(["paper"])
        assert sum(effects) + sum(revised) + confirmed + on_paper == 200, (effects, revised, confirmed, on_paper)
        if system.data is not None:
            subjects = [act["subject_id"] for device in devices for act in device.acts]
            parts = [part["participation_id"] for paper in papers for part in paper["items"]]
            parts += [await participation_of(device.person, each) for device in devices for each in meetings]
            assert await events(system.data, "activities", parts) == 4 * MEETINGS + SHEETS
            assert await events(system.data, "feedback", subjects) == 2 * CASES + 3 * CONFIRMED
            assert await events_of_studies(system.data, lessons) == 2 * 4 * LESSONS
            await by_receipts_alone(system.url, system.data, devices[0])


async def a_day_of(system: System, device: Device, meetings: Sequence[str], lessons: Sequence[str]) -> None:
    """Let somebody do a day's things without a network."""
    for number, activity_id in enumerate(meetings):
        device.does("register", activity_id)
        device.does("attend", activity_id, mode="remote" if number % 2 else "in_person")
    for lesson_id in lessons:
        device.does("progress", lesson_id, progress=40)
        device.does("understanding", lesson_id, understanding="need_help")
        device.does("progress", lesson_id, progress=90)
        device.does("understanding", lesson_id, understanding="understood")
    for number in range(CASES):
        place = str(system.seeded.branch_id)
        text = f"第 {number} 处护栏松动"
        device.does("case.open", str(new_id()), category="roads", organisation_id=place, text=text)
    version = await version_of_file(device.person)
    smartphone = (await device.person.get("/v1/members/me"))["smartphone"]
    for number in range(100 - len(device.acts) - 8):
        smartphone = not smartphone
        device.does("profile.revise", device.person_id, base_version=version + number, smartphone=smartphone)


async def over_a_link_that_cuts(url: str, device: Device, seed: int) -> None:
    """Send what there is, more each time and some of it for the second time, until the link was cut often enough.

    Then send all of it once more over a whole one.
    """
    chance = random.Random(SEED + seed)  # noqa: S311 - no secret
    async with TcpProxy(urlsplit(url).port or 0) as link:
        for turn in turns():
            if device.cuts == CUTS:
                break
            done_by_now = device.acts[: 4 * (turn + 1)]
            waiting = device.waiting(done_by_now)
            acts = [act for act in done_by_now if act in waiting or chance.random() < 0.5] or done_by_now
            size = len(orjson.dumps(acts))
            link.cut_after(chance.randrange(100, 700 + size + 130 * len(acts)))
            async with httpx.AsyncClient(base_url=link.through(url), trust_env=False, timeout=60) as client:
                await device.send(client, acts, lines=turn % 2 == 0)
        await link.heal()
        async with httpx.AsyncClient(base_url=link.through(url), trust_env=False, timeout=60) as client:
            for turn in range(20):
                if not (waiting := device.waiting(device.acts)):
                    break
                await device.send(client, waiting, lines=turn % 2 == 0)
            for lines in (True, False):
                await device.send(client, device.acts, lines=lines)


def turns() -> Iterator[int]:
    """Number the sendings, of which there is an end."""
    return iter(range(4 * CUTS))


async def by_receipts_alone(url: str, data: Path, device: Device) -> None:
    """Show that receipts hold when the owner knows an act's key no more; and that it is they which do."""
    revisions = [act for act in device.acts if act["kind"] == "profile.revise"]
    version = await version_of_file(device.person)
    forgotten = "with gone as (delete from {} where person_id = any($1::uuid[]) returning 1) select count(*) from gone"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        assert await _of(data, "members", forgotten.format("idempotency_key"), [device.person_id])
        await device.send(client, revisions, lines=True)
        assert await version_of_file(device.person) == version
        assert await _of(data, "gateway", forgotten.format("sync_receipt"), [device.person_id])
        await device.send(client, revisions, lines=True)
        assert await version_of_file(device.person) > version, "without either they are done once more"


async def an_answered_case(system: System, member: Person, secretary: Person) -> str:
    body = {"category": "roads", "organisation_id": str(system.seeded.branch_id), "text": "桥面破损"}
    case_id = str((await member.post("/v1/cases", body))["case_id"])
    await secretary.post(f"/v1/cases/{case_id}/answers", {"text": "已修好"})
    return case_id


async def version_of_file(person: Person) -> int:
    return int((await person.get("/v1/members/me"))["version"])


async def participation_of(person: Person, activity_id: str) -> str:
    part = (await person.get(f"/v1/activities/{activity_id}"))["my_participation"]
    return str(part["participation_id"])


async def effects_of(device: Device, meetings: Sequence[str], lessons: Sequence[str]) -> int:
    """Count what the owners show of a person's acts on meetings, lessons and new cases."""
    effects = 0
    for activity_id in meetings:
        part = (await device.person.get(f"/v1/activities/{activity_id}"))["my_participation"]
        effects += (part["registered_at"] is not None) + len(part["provenance"])
    for lesson_id in lessons:
        study = await device.person.get(f"/v1/lessons/{lesson_id}/progress")
        assert (study["progress"], study["understanding"]) == (90, "understood")
        effects += study["version"]
    opened = [act["subject_id"] for act in device.acts if act["kind"] == "case.open"]
    cases = await device.person.get("/v1/cases", case_id=opened)
    return int(effects + sum(case["version"] for case in cases["items"]))


async def events(data: Path, service: str, aggregates: Sequence[str]) -> int:
    """Count what a service told of these things."""
    return int(
        await _of(data, service, "select count(*) from outbox where aggregate_id = any($1::uuid[])", list(aggregates))
    )


async def events_of_studies(data: Path, lessons: Sequence[str]) -> int:
    """Count what learning told of studies of these lessons."""
    told = "select count(*) from outbox join lesson_study on study_id = aggregate_id where lesson_id = any($1::uuid[])"
    return int(await _of(data, "learning", told, list(lessons)))


async def _of(data: Path, service: str, query: str, ids: list[str]) -> Any:
    home = DataDirectory(data)
    password, port = home.secret("postgres"), home.state["ports"]["postgres"]
    connection = await asyncpg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/{service}")
    try:
        return await connection.fetchval(query, ids)
    finally:
        await connection.close()
