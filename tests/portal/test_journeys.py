"""What people do with the portal in Chromium, with and without a network, and what is left on their phones."""

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import UNSENT, Performed, Seen, journeyed

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed) -> Seen:
    return await journeyed(perform, "journeys.mjs")


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
