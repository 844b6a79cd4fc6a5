"""Meetings and lessons in Chromium: from the code on the wall to being checked in, from a course to its last word."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from database import new_id
from tests.flows.conftest import System
from tests.portal.conftest import Performed, Seen, journeyed

pytestmark = pytest.mark.browser

MEETINGS = {"now": (-10, 80), "next": (-5, 85), "over": (-180, -90), "long over": (-12_000, -11_900)}
"""From and until, in minutes from now."""


@pytest_asyncio.fixture(scope="module")
async def meetings(system: System) -> AsyncIterator[dict[str, str]]:
    """Give the ids of meetings of the branch; they are closed in the end, so that no home shows them any more."""
    now, ids = datetime.now(UTC), {name: str(new_id()) for name in MEETINGS}
    async with system.person("secretary.demo") as secretary:
        known = await secretary.get("/v1/activities", limit=1)
        for name, (starts, ends) in MEETINGS.items():
            meeting = {
                "activity_id": ids[name],
                "organisation_id": known["items"][0]["organisation_id"],
                "kind": "group_meeting",
                "title": "党小组会",
                "starts_at": (now + timedelta(minutes=starts)).isoformat(),
                "ends_at": (now + timedelta(minutes=ends)).isoformat(),
                "place": "村口大榕树下",
                "join_url": "https://meeting.example.org/group",
            }
            await secretary.post("/v1/activities", meeting)
        yield ids
        for activity_id in ids.values():
            await secretary.post(f"/v1/activities/{activity_id}/closing", status=200)


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, meetings: dict[str, str]) -> Seen:
    return await journeyed(perform, "taking_part.mjs", meetings=meetings)


async def _attendance(system: System, username: str, activity_id: str) -> dict[str, Any]:
    async with system.person(username) as person:
        activity = await person.get(f"/v1/activities/{activity_id}")
    mine: dict[str, Any] = activity["my_participation"]
    return mine


async def test_the_code_on_the_wall_leads_through_the_sign_in_to_being_checked_in(
    seen: Seen, system: System, meetings: dict[str, str]
) -> None:
    here = seen["who scans the code signed out is led back and checked in"]
    assert here == {"taps": 2, "back": True}  # beside name and password
    mine = await _attendance(system, "member.demo", meetings["now"])
    assert (mine["mode"], mine["attended_at"] is None) == ("in_person", False)


async def test_a_sign_in_that_is_broken_off_leads_back_all_the_same(seen: Seen) -> None:
    assert seen["a sign-in that is broken off leads back all the same"] == {"said": True}


async def test_who_is_signed_in_checks_in_by_one_tap(seen: Seen, system: System, meetings: dict[str, str]) -> None:
    here = seen["who is signed in checks in by one tap"]
    assert here["taps"] == 1
    assert here["said"].startswith("签到了")
    assert (await _attendance(system, "away.demo", meetings["now"]))["mode"] == "in_person"


async def test_a_check_in_without_a_network_counts_from_when_it_was_done(
    seen: Seen, system: System, meetings: dict[str, str]
) -> None:
    here = seen["without a network a meeting that the phone does not know is checked in to"]
    assert here["said"].endswith("已保存在手机上")
    attended_at = (await _attendance(system, "away.demo", meetings["next"]))["attended_at"]
    assert _moment(here["from"]) <= _moment(attended_at) <= _moment(here["until"])


async def test_after_the_meeting_it_is_said_until_when_and_what_then(
    seen: Seen, system: System, meetings: dict[str, str]
) -> None:
    here = seen["after the meeting its end and the paper list are said, and one can still check in"]
    assert "还能补" in here["said"]
    assert "纸质签到表" in here["late"]
    assert here["buttons"] == 0
    assert (await _attendance(system, "member.demo", meetings["over"]))["attended_at"] is not None


async def test_a_course_is_read_and_understood_without_a_network(seen: Seen, system: System) -> None:
    here = seen["a course is kept, read aloud and understood without a network"]
    assert (here["read"], here["language"], here["said"]) == (True, "zh-CN", "懂了 · 已保存在手机上")
    assert here["sentences"] > 1
    assert await _standing(system, here["lesson"]) == (100, True, "understood")


async def test_who_needs_help_says_so_and_takes_it_back(seen: Seen, system: System) -> None:
    here = seen["who needs help says so, and takes it back once it is clear"]
    assert here["asked"].startswith("您说要帮助")
    assert await _standing(system, here["lesson"]) == (100, True, "understood")


async def _standing(system: System, lesson_id: UUID) -> tuple[int, bool, str]:
    async with system.person("member.demo") as member:
        study = await member.get(f"/v1/lessons/{lesson_id}/progress")
    return study["progress"], study["completed"], study["understanding"]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
