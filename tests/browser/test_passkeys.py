"""A passkey in Chromium, by its own virtual device: made, used, and refused wherever somebody else might hold it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.outside.node import installed, run

pytestmark = pytest.mark.browser

_SECONDS = 120


async def test_a_passkey_signs_in_at_the_highest_level_and_nothing_like_it_does(
    told: dict[str, Any], chromium: str
) -> None:
    folder = await installed(Path(__file__).parent)
    said = {**told, "chromium": chromium}
    status, output = await run(["node", "passkeys.mjs"], folder, told=said, seconds=_SECONDS)
    assert status == 0, output
    seen = {each.pop("what"): each for each in map(json.loads, output.splitlines())}
    assert seen.pop("made") == {"rp": "localhost", "resident": True}
    assert seen.pop("signed out") == {"signedIn": False}
    assert seen.pop("signs in") == {"first": 303, "acr": "3", "amr": ["hwk", "user", "mfa"], "signedIn": True}
    refused_by_browser = {"first": "the browser refused", "stays": True, "signedIn": False}
    assert seen.pop("person not verified") == refused_by_browser
    assert seen.pop("at 127.0.0.1") == refused_by_browser
    assert seen.pop("at evil.localhost") == refused_by_browser
    assert seen.pop("a copy") == {"first": 400, "stays": True, "signedIn": False}
    assert seen.pop("the original after its copy") == {"first": 400}
    assert seen == {}
