"""A new version of the portal, in Chromium."""

import json
import shutil
from pathlib import Path

import pytest

from tests.portal.conftest import Performed
from tests.portal.test_build import SOURCES, copied, node

pytestmark = pytest.mark.browser


async def test_a_new_version_waits_until_the_person_takes_it(perform: Performed, built: Path, tmp_path: Path) -> None:
    changed = copied(tmp_path)
    words = changed / "src" / "texts" / "zh.ts"
    words.write_text(words.read_text().replace('me: "我的" }', 'me: "我自己" }'))
    told = {"changed": str(changed / "build.ts"), "original": str(SOURCES / "build.ts"), "folder": str(built)}
    status, output = await perform("update.mjs", node=str(node()), **told)
    shutil.rmtree(changed)
    assert status == 0, output
    seen = json.loads(output)
    assert seen == {"waits": True, "old": True, "gone": 0, "caches": 1, "problems": []}
