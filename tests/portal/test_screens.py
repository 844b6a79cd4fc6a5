"""Every screen in Chromium: no axe finding, nothing too wide or small, nothing its policy forbids.

`ONLY=home,me` looks at these alone; with `XIANGQIAO_PICTURES=folder` there are pictures for eyes.
"""

import json
import os
from typing import Any

import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.portal.conftest import SECONDS, Performed
from tests.portal.happenings import Here, happened

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module")
async def here(system: System) -> Here:
    return await happened(system)


async def _look(perform: Performed, here: Here, *, whole: bool) -> list[dict[str, Any]]:
    """Give what was seen of each screen in each combination; nothing was amiss."""
    told = {"pictures": os.environ.get("XIANGQIAO_PICTURES"), "only": os.environ.get("ONLY", "")}
    seconds = 3 * SECONDS if whole else SECONDS
    status, output = await perform("look.mjs", seconds=seconds, here=here, whole=whole, **told)
    assert status == 0, output
    seen = [json.loads(line) for line in output.splitlines()]
    faces = ("screen", "language", "size", "width", "scheme")
    bad = [f"{' '.join(str(each[face]) for face in faces)}: {one}" for each in seen for one in each["problems"]]
    assert not bad, "\n".join(bad)
    return seen


async def test_every_screen_is_good_in_every_pair_of_language_size_width_and_scheme(
    perform: Performed, here: Here
) -> None:
    assert len(await _look(perform, here, whole=False)) >= 5


@pytest.mark.slow
async def test_every_screen_is_good_in_every_language_size_width_and_scheme(perform: Performed, here: Here) -> None:
    assert len(await _look(perform, here, whole=True)) >= 16
