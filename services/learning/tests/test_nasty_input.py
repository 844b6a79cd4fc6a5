"""Whatever a client sends, it is at fault for it: no number, day, text or cursor ends in an error of ours."""

from orgtree import ROOT_ID
from testkit.county import BRANCH, County
from testkit.nasty import refused_badly

from .lessons import published_course


async def test_no_nasty_value_is_an_error_of_ours(county: County) -> None:
    person = await county.member(BRANCH, ("registrar", ROOT_ID), ("branch_secretary", BRANCH))
    course = await published_course(person, ROOT_ID)
    known = {
        "organisation_id": str(BRANCH),
        "course_id": course["course_id"],
        "lesson_id": course["lessons"][0]["lesson_id"],
        "edition": 2,
        "kind": "text",
        "url": "https://example.cn/1",
    }
    assert await refused_badly(county.http, person.headers, known) == []
