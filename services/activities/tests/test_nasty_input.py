"""Whatever a client sends, it is at fault for it: no number, day, text or cursor ends in an error of ours."""

from typing import Any

import pytest

from orgtree import ROOT_ID
from testkit.county import BRANCH, County
from testkit.nasty import refused_badly

from .meetings import meeting, scheduled


async def test_no_nasty_value_is_an_error_of_ours(county: County) -> None:
    person = await county.member(BRANCH, ("branch_secretary", ROOT_ID))
    path = await scheduled(person)
    known = {
        **meeting(),
        "activity_id": path.rpartition("/")[2],
        "join_url": "https://meet.example.cn/1",
        "person_ids": str(person.person_id),
        "agenda": "学习文件",
        "status": "scheduled",
        "attended_at": meeting()["starts_at"],
    }
    assert await refused_badly(county.http, person.headers, known) == []


@pytest.mark.parametrize("year", ["1900", "2199"])
async def test_taking_part_in_a_meeting_of_another_century_is_no_error_of_ours(county: County, year: str) -> None:
    person = await county.member(BRANCH, ("branch_secretary", ROOT_ID))
    times: dict[str, Any] = {"starts_at": f"{year}-01-01T08:00:00+08:00", "ends_at": f"{year}-01-01T10:00:00+08:00"}
    answer = await person.post("/activities", meeting(**times))
    path = f"/activities/{answer.json().get('activity_id')}"
    for part, body in (
        ("registrations", None),
        ("attendances", {}),
        ("attendances", {"attended_at": times["starts_at"]}),
        ("attendance-sheets", {"person_ids": [str(person.person_id)]}),
        ("closing", None),
    ):
        assert (await person.post(f"{path}/{part}", body)).status_code < 500
