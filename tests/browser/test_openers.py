"""A window of the sign-in in Chromium: another site that opened it is cut off, the page of the document hears of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.outside.node import installed, run

pytestmark = pytest.mark.browser

_SECONDS = 120


async def test_no_other_site_keeps_hold_of_a_sign_in_it_opened(told: dict[str, Any], chromium: str) -> None:
    folder = await installed(Path(__file__).parent)
    status, output = await run(["node", "openers.mjs"], folder, told={**told, "chromium": chromium}, seconds=_SECONDS)
    assert status == 0, output
    seen = {each.pop("what"): each for each in map(json.loads, output.splitlines())}
    assert seen == {"another site": {"cutOff": True}, "the document's page": {"told": "a code"}}
