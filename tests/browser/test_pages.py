"""Every page in Chromium: no axe finding, no script needed, large type, nothing too wide, nothing its CSP forbids."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.outside.node import installed, run

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
TEMPLATES = HERE.parents[1] / "services" / "identity" / "src" / "identity" / "pages" / "templates"
NO_PAGE = {"layout"}
_SECONDS = 1800


async def test_every_page_is_good_in_both_languages_with_script_and_without(
    told: dict[str, Any], chromium: str
) -> None:
    pictures = os.environ.get("XIANGQIAO_PICTURES")
    said = {**told, "chromium": chromium, "pictures": pictures, "only": os.environ.get("ONLY", "")}
    status, output = await run(["node", "pages.mjs"], await installed(HERE), told=said, seconds=_SECONDS)
    assert status == 0, output
    seen = [json.loads(line) for line in output.splitlines()]
    named = {f"{each['template']} {each['face']} {each['language']} script={each['script']}": each for each in seen}
    bad = [f"{name}: {problem}" for name, each in named.items() for problem in each["problems"]]
    assert not bad, "\n".join(bad)
    if said["only"]:
        return
    opened = {each["template"] for each in seen}
    assert opened == {file.stem for file in TEMPLATES.glob("*.html")} - NO_PAGE
    assert len(named) == len(seen)
    assert len(seen) % 4 == 0  # two languages, with script and without
