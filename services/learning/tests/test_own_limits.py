"""Check 38: how often one person asks for help."""

import pytest_asyncio

from learning.study.commands import REQUESTS
from orgtree import ROOT_ID
from testkit.county import BRANCH, County

from .lessons import published_course


@pytest_asyncio.fixture
async def path(county: County) -> str:
    made = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    return f"/lessons/{made['lessons'][0]['lesson_id']}/understanding"


async def test_who_asks_for_help_again_and_again_has_to_wait(county: County, path: str) -> None:
    learner, other = await county.member(BRANCH), await county.member(BRANCH)
    for _ in range(REQUESTS.most):
        for _ in range(2):  # the same word again is none
            assert (await learner.post(path, {"understanding": "need_help"})).status_code == 200
        assert (await learner.post(path, {"understanding": "understood"})).status_code == 200
    over = await learner.post(path, {"understanding": "need_help"})
    assert (over.status_code, over.json()["type"]) == (429, "/problems/too_often")
    assert int(over.headers["retry-after"]) <= REQUESTS.window.total_seconds() / REQUESTS.most
    assert (await learner.post(path, {"understanding": "understood"})).json()["understanding"] == "understood"
    assert (await other.post(path, {"understanding": "need_help"})).status_code == 200
