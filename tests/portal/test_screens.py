"""Every screen in Chromium: no axe finding, nothing too wide or small, nothing its policy forbids.

`ONLY=home,me` looks at these alone; with `XIANGQIAO_PICTURES=folder` there are pictures for eyes.
"""

import json
import os

import pytest

from tests.flows.conftest import System
from tests.portal.conftest import Performed
from tests.portal.happenings import happened

pytestmark = pytest.mark.browser


async def test_every_screen_is_good_in_every_pair_of_language_size_width_and_scheme(
    perform: Performed, system: System
) -> None:
    pictures = os.environ.get("XIANGQIAO_PICTURES")
    status, output = await perform(
        "look.mjs", pictures=pictures, only=os.environ.get("ONLY", ""), here=await happened(system)
    )
    assert status == 0, output
    seen = [json.loads(line) for line in output.splitlines()]
    assert len(seen) >= 5
    faces = ("screen", "language", "size", "width", "scheme")
    bad = [f"{' '.join(str(each[face]) for face in faces)}: {one}" for each in seen for one in each["problems"]]
    assert not bad, "\n".join(bad)
