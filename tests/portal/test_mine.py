"""What people report with the portal in Chromium, and what they see and keep of themselves."""

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import UNSENT, Performed, Seen, journeyed

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, system: System) -> Seen:
    await _look_after_somebody(system)
    return await journeyed(perform, "mine.mjs")


async def _look_after_somebody(system: System) -> None:
    """Let the secretary read the file of the member who is away, to call them, and ask to help them."""
    away = system.person_id("away.demo")
    async with system.person("secretary.demo") as secretary:
        file = await secretary.get(f"/v1/members/{away}", purpose="contact")
        asked = {"organisation_id": file["organisation_id"], "actions": ["feedback.open_case"], "evidence": "witness"}
        await secretary.post("/v1/assisted-sessions", {"subject_id": away, **asked})


async def test_a_report_takes_six_taps_and_no_network(seen: Seen, system: System) -> None:
    here = seen["somebody reports something in six taps without a network, and it is sent once"]
    assert here["taps"] <= 6
    assert here["words"] == "村口到小学的路灯又坏了一盏。"
    assert "5 个工作日内" in here["promised"]
    assert "党支部" in here["promised"].partition("谁来答复")[2]
    assert here["said"].startswith("已保存在手机上")
    assert here["forgotten"]
    assert here["state"] in UNSENT
    assert (here["settled"], here["envelopes"]) == (True, 1)
    assert here["deadline"].startswith("还有 ")
    async with system.person("villager.demo") as villager:
        case = await villager.get(f"/v1/cases/{here['subject']}")
    assert [entry["text"] for entry in case["entries"]] == [here["words"]]


async def test_an_answer_is_confirmed_in_two_taps(seen: Seen, system: System) -> None:
    here = seen["an answer is read and confirmed in two taps"]
    assert here["taps"] <= 2
    assert "栏杆" in here["answer"]
    assert (here["sent"], here["closed"]) == (True, True)
    async with system.person("away.demo") as away:
        case = await away.get(f"/v1/cases/{here['subject']}")
    assert case["status"] == "confirmed"


async def test_a_number_changed_in_two_places_is_chosen_by_its_owner(seen: Seen, system: System) -> None:
    here = seen["a phone number that was changed in two places is chosen by its owner"]
    assert here["said"] == "已保存在手机上 手机号 → 13900139001"
    assert "13900139001" in here["both"]
    assert "139******02" in here["both"]
    assert here["sent"]
    async with system.person("member.demo") as member:
        assert (await member.get("/v1/members/me"))["phone"] == "139******01"


async def test_a_file_is_kept_covered(seen: Seen) -> None:
    here = seen["a file is seen in clear by who proved who they are, and kept covered"]
    assert here["clear"]
    assert here["kept"].endswith("*" * 17)
    assert not here["numbers"]  # of the whole store
    assert not here["masked"]  # no number in what is shown to who has not
    assert here["unproven"]["at"] == "/app/me/file"
    assert here["unproven"]["says"].startswith("刚才没有确认成")


async def test_whoever_opens_a_file_is_seen(seen: Seen) -> None:
    here = seen["whoever opens a file is seen by its owner, with what for and when"]
    assert "为了联系您，看了您的档案" in here["text"]
    assert "支部书记" in here["text"]
    assert "witness" not in here["text"]  # what the system calls it


async def test_whoever_would_help_is_stopped_by_the_person(seen: Seen, system: System) -> None:
    here = seen["whoever would help is stopped by the person"]
    assert "等您同意" in here["asked"]
    assert "可以替您：反映问题" in here["asked"]
    assert here["ended"]
    async with system.person("away.demo") as away:
        sessions = (await away.get("/v1/me/assisted-sessions"))["items"]
    assert {each["status"] for each in sessions} <= {"ended", "lapsed"}


async def test_all_that_is_known_of_somebody_is_fetched(seen: Seen) -> None:
    here = seen["all that is known of somebody is gathered and fetched"]
    assert here["name"].startswith("xiangqiao-")
    assert here["name"].endswith(".zip")
    assert here["size"] > 1000
