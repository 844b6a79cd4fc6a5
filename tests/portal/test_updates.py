"""A new version of the portal, in Chromium."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.flows.conftest import System, opened_system
from tests.portal.conftest import Performed
from tests.portal.test_build import copied, node

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a built portal of this file's own, for others look at the one that is built anew here."""
    return shutil.copytree(built, tmp_path_factory.mktemp("portal") / "built")


@pytest_asyncio.fixture(scope="module")
async def system(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XIANGQIAO_PORTAL", str(folder))
        async with opened_system(tmp_path_factory) as opened:
            yield opened


async def test_a_new_version_waits_until_the_person_takes_it(perform: Performed, folder: Path, tmp_path: Path) -> None:
    changed = copied(tmp_path)
    words = changed / "src" / "texts" / "zh.ts"
    words.write_text(words.read_text().replace('me: "我的" }', 'me: "我自己" }'))
    told = {"changed": str(changed / "build.ts"), "folder": str(folder)}
    status, output = await perform("update.mjs", node=str(node()), **told)
    assert status == 0, output
    seen = json.loads(output)
    assert seen == {"waits": True, "old": True, "gone": 0, "caches": 1, "problems": []}
