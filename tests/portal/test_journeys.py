"""What people do with the portal in Chromium, with and without a network, and what is left on their phones."""

import asyncio
import json
import os
from typing import Any

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import Performed
from tests.portal.happenings import Here, happened, pass_code_on

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("XIANGQIAO_PICTURES")
UNSENT = {"waiting", "sending"}
Seen = dict[str, dict[str, Any]]


@pytest_asyncio.fixture(scope="module")
async def here(system: System) -> Here:
    """Give what has happened in the branch before."""
    return await happened(system)


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, here: Here, system: System, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Give what each journey saw, by its name; none had a script error or broke the page's policy.

    `ONLY=words` performs those alone that have these words in their name.
    """
    told = {"here": here, "only": os.environ.get("ONLY", ""), "pictures": PICTURES}
    code = tmp_path_factory.mktemp("phone") / "code"
    passing_on = asyncio.create_task(pass_code_on(system, code))
    status, output = await perform("journeys.mjs", code=str(code), **told)
    passing_on.cancel()
    assert status == 0, output
    journeys = {each.pop("journey"): each for each in map(json.loads, output.splitlines())}
    assert not {name: each for name, each in journeys.items() if each.get("failed") or each.pop("problems")}
    return journeys


async def test_the_sign_in_is_bound_to_a_key_that_nobody_can_take(seen: Seen) -> None:
    here = seen["the sign-in is bound to a key that nobody can take"]
    assert (here["exported"], here["unproven"]) == ("refused", "invalid_grant")
    assert not here["tokens"]  # nothing of it in storage that scripts list
    assert (here["address"], here["origins"]) == ("/app/", 1)


async def test_what_is_done_without_a_network_is_kept_and_sent_once(seen: Seen, system: System) -> None:
    here = seen["what is done without a network is kept, survives the page, and is sent once"]
    assert here["said"] == "我会参加 · 已保存在手机上"
    assert here["state"] in UNSENT
    assert (here["sent"], here["envelopes"]) == (True, 1)
    assert here["cached"] == []  # what the API told is in no cache
    async with system.person("member.demo") as member:
        activity = await member.get(f"/v1/activities/{here['subject']}")
    assert activity["my_participation"]["registered_at"] is not None


async def test_an_ended_sign_in_hides_nothing(seen: Seen) -> None:
    here = seen["an ended sign-in hides nothing and asks once there is something to send"]
    assert here["state"] in UNSENT
    assert (here["cards"], here["sent"]) == (True, True)


async def test_another_person_on_the_same_phone_sends_nothing_of_the_first(seen: Seen) -> None:
    here = seen["another person on the same phone neither sees nor sends what is the first one's"]
    assert here == {"left": True, "envelopes": 0, "seen": False, "ops": 0, "settled": True}


async def test_signing_out_forgets_what_was_told(seen: Seen) -> None:
    here = seen["signing out forgets what was told, here and at identity"]
    assert here == {"subjects": 0, "after": None, "revoking": 200, "spent": "invalid_grant"}


async def test_what_is_done_on_one_phone_is_soon_on_another(seen: Seen) -> None:
    here = seen["what is done on one phone is soon on the home of another"]
    assert here["shown"]
    assert "/v1/home" in here["asked"]  # because it was told, for nobody touched it


async def test_a_phone_whose_clock_is_wrong_signs_in_and_acts(seen: Seen) -> None:
    here = seen["a phone whose clock is an hour wrong signs in and acts all the same"]
    assert here == {"state": "sent"}


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


async def test_somebody_is_helped_by_the_code_that_came_to_their_phone(seen: Seen, system: System) -> None:
    journey = seen["somebody is helped by the code that came to their phone"]
    assert journey["came"]
    assert "正在帮" in journey["bar"]
    async with system.person("member.demo") as member:
        [session] = (await member.get("/v1/me/assisted-sessions", limit=1))["items"]
    assert (session["evidence"], session["status"]) == ("one_time_code", "ended")
