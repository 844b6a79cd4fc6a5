"""A terminal that people use in turn, in Chromium: who lets themselves in by their phone, leaves nothing behind."""

import json
import re

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import ROOT, Performed, Seen, journeyed
from tests.portal.happenings import happened

pytestmark = pytest.mark.browser

NOTHING = {"stores": 0, "caches": 0, "workers": 0, "storage": 0, "cookies": 0, "history": 2, "state": None}
OWN = {"GET /kiosk/", "POST /kiosk/out", "GET /app/icon.svg"}


@pytest_asyncio.fixture(scope="module")
async def seen(perform: Performed, system: System) -> Seen:
    await happened(system)
    return await journeyed(perform, "kiosk.mjs")


async def test_after_a_turn_nothing_of_anybody_stays(seen: Seen, system: System) -> None:
    here = seen["somebody is let in by their phone, does two things, leaves, and nothing stays"]
    assert (here["tiles"], here["told"]) == (6, True)
    assert here["before"] == here["after"] == NOTHING
    assert here["during"] == {**NOTHING, "at": "/kiosk/"}
    assert (here["shown"], here["again"], here["opens"], here["back"]) == (False, False, False, "about:blank")
    assert here["clears"] == '"cache"'
    async with system.person("away.demo") as away:
        mine = (await away.get("/v1/cases"))["items"]
        cases = [await away.get(f"/v1/cases/{each['case_id']}") for each in mine]
    assert "村口的桥栏杆松了。" in [each["entries"][0]["text"] for each in cases]


async def test_all_that_a_terminal_asks_for_is_in_the_document(seen: Seen) -> None:
    here = seen["somebody is let in by their phone, does two things, leaves, and nothing stays"]
    paths = json.loads((ROOT / "docs" / "openapi-v1.json").read_text())["paths"]
    operations = [
        re.compile(f"{method.upper()} {re.sub(r'{[^}]+}', '[^/]+', path)}") for path in paths for method in paths[path]
    ]
    asked = {each for each in here["requests"] if "/app/assets/" not in each} - OWN
    assert {"POST /oauth2/device_authorization", "POST /oauth2/revoke", "GET /v1/home", "POST /v1/sync/push"} <= asked
    assert [each for each in asked if not any(one.fullmatch(each) for one in operations)] == []


async def test_whoever_goes_away_is_signed_out(seen: Seen) -> None:
    here = seen["whoever goes away is asked after 90 seconds, and signed out after 30 more"]
    assert (here["early"], here["stays"], here["still"], here["opens"]) == (0, 6, 1, False)
    assert here["renewed"]  # as long as they were there, and touched something
    assert re.search(r"还在吗？不点的话，[12][0-9] 秒后退出", here["said"])


async def test_codes_follow_each_other_and_what_is_amiss_is_said(seen: Seen) -> None:
    here = seen["a code that ends is followed by another, and without a network that is said"]
    assert here["followed"]
    assert here["denied"].startswith("手机上没有同意")
    assert "没有网络。" in here["offline"]
    assert "There is no network." in here["offline"]


async def test_who_leaves_without_a_network_is_seen_by_nobody(seen: Seen) -> None:
    here = seen["who leaves without a network is asked, is seen by nobody, and signed out once there is one"]
    assert here["waits"].startswith("2 件事还没送出去")
    assert "就要重新办" in here["warned"]
    assert "懂了" not in here["shown"]
    assert not here["opens"]


async def test_other_pages_are_for_ones_own_phone(seen: Seen) -> None:
    here = seen["pages for one's own phone are shown as a code, and who comes back to the page finds nothing"]
    assert (here["stays"], here["tiles"], here["opens"]) == ("/kiosk/", 0, False)
