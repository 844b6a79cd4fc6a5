"""What a secretary does for a branch in Chromium, from cases and meetings to helping somebody."""

import asyncio
import os

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import UNSENT, Performed, Seen, journeyed
from tests.portal.happenings import Here, happened, pass_code_on

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def here(system: System) -> Here:
    """Give what has happened in the branch before."""
    return await happened(system)


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, here: Here, system: System, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    code = tmp_path_factory.mktemp("phone") / "code"
    passing_on = asyncio.create_task(pass_code_on(system, code))
    pictures = os.environ.get("XIANGQIAO_PICTURES")
    seen = await journeyed(perform, "branch.mjs", here=here, code=str(code), pictures=pictures)
    passing_on.cancel()
    return seen


async def test_a_case_is_answered_in_three_taps(seen: Seen, here: Here, system: System) -> None:
    journey = seen["a case is answered in three taps, and what was written survives the page"]
    assert journey["taps"] <= 3
    assert journey["kept"] == "明天就去修。"
    assert journey["said"][-1] == "明天就去修。"
    async with system.person("secretary.demo") as secretary:
        assert (await secretary.get(f"/v1/cases/{here['case_id']}"))["status"] == "answered"


async def test_a_sheet_of_twenty_people_takes_no_more_than_24_taps(seen: Seen, here: Here, system: System) -> None:
    journey = seen["a sheet is ticked without a network, one tap a person, and handed in once"]
    assert journey["taps"] <= journey["people"] + 4
    assert journey["kept"] == journey["people"]  # a page that is opened anew has all ticks
    assert journey["again"] == 0  # what is handed in is not ticked once more
    assert (journey["state"] in UNSENT, journey["sent"]) == (True, True)
    assert journey["clear"] == {"exported": "refused", "seen": 0}  # names are kept sealed
    async with system.person("secretary.demo") as secretary:
        parts = await secretary.get(f"/v1/activities/{here['activity_id']}/participations", limit=200)
    attended = [part for part in parts["items"] if part["attended_at"] is not None]
    assert len(attended) == journey["people"]


async def test_a_file_opens_for_a_purpose_and_nothing_stays(seen: Seen, system: System) -> None:
    journey = seen["a file opens once it is said what for, and nothing of it stays"]
    assert (journey["masked"], journey["before"], journey["asked"]) == (True, 0, ["?purpose=contact"])
    assert (journey["clear"], journey["id"], journey["stays"]) == (True, True, False)
    async with system.person("away.demo") as away:
        log = await away.get("/v1/me/access-log/members", limit=200)
    opened = (each for each in log["items"] if each["action"] == "members.file.read")
    assert next(opened)["purpose"] == "contact"


async def test_a_meeting_is_planned_by_what_was_filled_in(seen: Seen, system: System) -> None:
    journey = seen["a meeting is planned by what was filled in"]
    assert journey["taps"] == 1
    async with system.person("member.demo") as member:
        meeting = await member.get(f"/v1/activities/{journey['activity_id']}")
    assert meeting["title"] == journey["title"]


async def test_a_sheet_is_printed_with_every_name(seen: Seen) -> None:
    journey = seen["a sheet is printed with every name, room to sign, and nothing else"]
    assert journey["people"] > 10
    assert (journey["rows"], journey["others"]) == (journey["people"], 0)


async def test_somebody_is_helped_until_the_end_by_one_whom_a_witness_saw(seen: Seen, system: System) -> None:
    journey = seen["somebody is helped once a witness saw them agree, and no longer than until the end"]
    assert "正在帮" in journey["bar"]
    assert (journey["token"], journey["refused"]) == (False, True)
    async with system.person("away.demo") as away:
        activity = await away.get(f"/v1/activities/{journey['activity_id']}")
        [session] = (await away.get("/v1/me/assisted-sessions", limit=1))["items"]
    assert activity["my_participation"]["registered_at"] is not None
    assert session["status"] == "ended"


async def test_a_helper_without_a_branch_reaches_who_shows_them_a_code(seen: Seen, system: System) -> None:
    journey = seen["a helper without a branch scans the code on somebody's own phone, and helps them"]
    assert (journey["shown"], journey["bar"]) == (True, True)  # the number that both read to each other
    async with system.person("member.demo") as member:
        sessions = (await member.get("/v1/me/assisted-sessions", limit=2))["items"]
    helped = next(each for each in sessions if each["evidence"] == "witness")
    assert (helped["helper_id"], helped["status"]) == (system.person_id("helper.demo"), "ended")


async def test_somebody_is_helped_by_the_code_that_came_to_their_phone(seen: Seen, system: System) -> None:
    journey = seen["somebody is helped by the code that came to their phone"]
    assert journey["came"]
    assert "正在帮" in journey["bar"]
    async with system.person("member.demo") as member:
        [session] = (await member.get("/v1/me/assisted-sessions", limit=1))["items"]
    assert (session["evidence"], session["status"]) == ("one_time_code", "ended")
