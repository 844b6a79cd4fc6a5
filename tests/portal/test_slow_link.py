"""The main tasks in Chromium over 40 kbit/s and 600 ms, cut fifty times: each act is there once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from testkit.proxy import TcpProxy
from tests.flows.conftest import System
from tests.flows.test_cut_link import events, events_of_studies, participation_of
from tests.flows.test_journey import a_meeting
from tests.portal.conftest import Performed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED = 20261201
CUTS = 50
RATE = 5_000
"""Bytes a second: 40 kbit/s."""
ONE_WAY = 0.3
MEETINGS, SHEETS, TICKS, CASES = 4, 3, 4, 5
REPORTS = [f"第 {number} 段路塌了一角。" for number in range(4)]
ANSWER = "这周就修好。"


@pytest_asyncio.fixture(scope="module")
async def line(system: System) -> AsyncIterator[TcpProxy]:
    """Give a slow line to the system."""
    async with TcpProxy(urlsplit(system.url).port or 0) as line:
        line.limit(RATE)
        line.delay(ONE_WAY)
        yield line


async def _cut(line: TcpProxy, ready: Path) -> None:
    """Cut the line at random bytes, once people are ready."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    while not await asyncio.to_thread(ready.exists):
        await asyncio.sleep(0.2)
    for cuts in range(CUTS):
        line.cut_after(chance.randrange(100, 4_000))
        while line.cuts == cuts:
            await asyncio.sleep(0.05)


async def test_each_act_is_there_once_however_often_the_line_is_cut(
    perform: Performed, system: System, line: TcpProxy, tmp_path: Path
) -> None:
    async with (
        system.person("away.demo") as member,
        system.person("secretary.demo") as secretary,
        system.person("registrar.demo") as registrar,
    ):
        course = {
            "organisation_id": str(system.seeded.county_id),
            "title": "防汛常识",
            "lessons": [{"title": f"第 {number} 课", "kind": "text", "body": "雨大不过河。"} for number in range(4)],
        }
        lessons = [lesson["lesson_id"] for lesson in (await registrar.post("/v1/courses", course))["lessons"]]
        made = [(await secretary.post("/v1/activities", a_meeting(system)))["activity_id"] for _ in range(7)]
        meetings, sheets = made[:MEETINGS], made[MEETINGS:]
        case = {"category": "roads", "organisation_id": str(system.seeded.branch_id), "text": "桥面破损"}
        cases = [(await member.post("/v1/cases", case))["case_id"] for _ in range(CASES)]

        told = {"meetings": meetings, "sheets": sheets, "ticks": TICKS, "lessons": lessons, "reports": REPORTS}
        ready = tmp_path / "ready"
        cutting = asyncio.create_task(_cut(line, ready))
        status, output = await perform("slow.mjs", line=line.port, cases=cases, answer=ANSWER, ready=str(ready), **told)
        cutting.cancel()
        assert status == 0, output
        [seen] = map(json.loads, output.splitlines())
        assert (seen.get("failed"), seen.get("sent"), seen.get("problems")) == (None, [True, True], []), seen
        assert line.cuts == CUTS

        attended = [await participation_of(member, each) for each in meetings]
        papers = [await secretary.get(f"/v1/activities/{each}/participations", limit=200) for each in sheets]
        ticked = [part["participation_id"] for paper in papers for part in paper["items"]]
        assert len(ticked) == SHEETS * TICKS
        answers = [(await member.get(f"/v1/cases/{each}"))["entries"][1:] for each in cases]
        assert [[entry["text"] for entry in each] for each in answers] == [[ANSWER]] * CASES
        all_cases = (await member.get("/v1/cases", limit=200))["items"]
        own = [each["case_id"] for each in all_cases if each["case_id"] not in cases]
        texts = [(await member.get(f"/v1/cases/{each}"))["entries"][0]["text"] for each in own]
        assert sorted(text for text in texts if text in REPORTS) == REPORTS
        reported = [each for each, text in zip(own, texts, strict=True) if text in REPORTS]
        studies = [await member.get(f"/v1/lessons/{each}/progress") for each in lessons]
        assert [study["understanding"] for study in studies] == ["understood"] * len(lessons)
    assert system.data is not None
    assert await events(system.data, "activities", attended + ticked) == MEETINGS + SHEETS * TICKS
    assert await events(system.data, "feedback", cases) == 2 * CASES
    assert await events(system.data, "feedback", reported) == len(REPORTS)
    assert await events_of_studies(system.data, lessons) == 2 * len(lessons)
