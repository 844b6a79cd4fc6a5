"""The ten ways of docs/portal.md by keyboard alone, in Chromium: each leads to its end, the focus always in sight."""

import asyncio

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import Performed, Seen, journeyed
from tests.portal.happenings import Here, happened, pass_code_on, proposed

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def here(system: System) -> Here:
    """Give what has happened before."""
    return {**await happened(system), **await proposed(system)}


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, here: Here, system: System, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Give what each way came to; none failed, lost the focus, hid it, or led to a screen whose heading has it not."""
    code = tmp_path_factory.mktemp("phone") / "code"
    passing_on = asyncio.create_task(pass_code_on(system, code))
    seen = await journeyed(perform, "keyboard.mjs", here=here, code=str(code), phone=here["phone"])
    passing_on.cancel()
    return seen


async def test_a_meeting(seen: Seen, here: Here, system: System) -> None:
    assert seen["1 a meeting"]["sent"]
    async with system.person("away.demo") as away:
        coming = await away.get(f"/v1/activities/{here['later_id']}")
        there = await away.get(f"/v1/activities/{here['activity_id']}")
    assert coming["my_participation"]["registered_at"] is not None
    assert there["my_participation"]["attended_at"] is not None


async def test_a_lesson(seen: Seen, system: System) -> None:
    lesson = seen["2 a lesson"]
    assert lesson["sent"]
    async with system.person("away.demo") as away:
        study = await away.get(f"/v1/lessons/{lesson['lesson']}/progress")
    assert study["understanding"] == "understood"


async def test_a_report(seen: Seen, system: System) -> None:
    report = seen["3 a report"]
    assert (report["summary"], report["sent"]) == (True, True)
    async with system.person("away.demo") as away:
        case = await away.get(f"/v1/cases/{report['subject']}")
    assert [entry["text"] for entry in case["entries"]] == ["桥边的路塌了一角。"]


async def test_an_answer(seen: Seen, system: System) -> None:
    async with system.person("away.demo") as away:
        case = await away.get(f"/v1/cases/{seen['4 an answer']['subject']}")
    assert case["status"] == "confirmed"


async def test_ones_own_file(seen: Seen, system: System) -> None:
    file = seen["5 one's own file"]
    assert (file["summary"], file["sent"]) == (True, True)
    async with system.person("away.demo") as away:
        assert (await away.get("/v1/members/me"))["phone"].endswith("03")


async def test_answering_a_case(seen: Seen, here: Here, system: System) -> None:
    assert seen["6 answering a case"] == {}
    async with system.person("secretary.demo") as secretary:
        assert (await secretary.get(f"/v1/cases/{here['case_id']}"))["status"] == "answered"


async def test_a_sheet(seen: Seen, here: Here, system: System) -> None:
    sheet = seen["7 a sheet"]
    assert sheet["sent"]
    async with system.person("secretary.demo") as secretary:
        parts = await secretary.get(f"/v1/activities/{here['activity_id']}/participations", limit=200)
    assert len([part for part in parts["items"] if part["attended_at"] is not None]) == sheet["before"] + 3


async def test_helping_somebody(seen: Seen, system: System) -> None:
    assert seen["8 helping somebody"] == {}
    async with system.person("member.demo") as member:
        [session] = (await member.get("/v1/me/assisted-sessions", limit=1))["items"]
    assert (session["evidence"], session["status"]) == ("one_time_code", "ended")


async def test_who_needs_help_and_a_figure(seen: Seen) -> None:
    assert "怎么算的" in seen["9 who needs help, and a figure"]["formula"]


async def test_an_approval(seen: Seen, here: Here, system: System) -> None:
    approval = seen["10 an approval"]
    assert approval["back"]
    assert approval["said"].startswith("您同意了。")
    async with system.person("officer.demo") as officer:
        listed = await officer.get("/v1/phone-replacements", limit=50)
    found = next(each for each in listed["items"] if each["replacement_id"] == here["replacement"])
    assert found["status"] == "approved"
