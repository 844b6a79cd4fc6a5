"""Courses over HTTP: editions published once and in order, open to all below, finished in the edition one began."""

import asyncio
from typing import Any

import pytest

from database import new_id
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, OTHER_BRANCH, OTHER_COUNTY, TOWNSHIP, County, Person

from .lessons import course, lesson, published_course


@pytest.fixture
def registrar(county: County) -> Person:
    return county.person(("registrar", ROOT_ID))


async def test_a_course_is_published_with_its_lessons_in_order(registrar: Person, published: Any) -> None:
    video = lesson(kind="video", title="视频课", body=None, url="https://media.example/1.mp4")
    made = await published_course(registrar, COUNTY, lesson(), video)
    assert [(one["position"], one["title"]) for one in made["lessons"]] == [(1, "怎样用手机缴纳医保"), (2, "视频课")]
    [(what, _, version, data)] = await published("course")
    assert (what, version, data["edition"]) == ("published.v1", 1, 1)
    assert data["lesson_ids"] == [one["lesson_id"] for one in made["lessons"]]


async def test_the_same_course_under_its_id_is_published_once(registrar: Person, published: Any) -> None:
    body = course(COUNTY, course_id=str(new_id()))
    answers = await asyncio.gather(*(registrar.post("/courses", body) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(await published("course")) == 1


async def test_another_course_under_a_taken_id_is_refused(registrar: Person) -> None:
    body = course(COUNTY, course_id=str(new_id()))
    await registrar.post("/courses", body)
    for changed in ({"title": "另一门课"}, {"organisation_id": str(TOWNSHIP)}):
        answer = await registrar.post("/courses", {**body, **changed})
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/course_id_taken")


async def test_editions_follow_one_another(registrar: Person, published: Any) -> None:
    made = await published_course(registrar, COUNTY)
    skipping = await registrar.post("/courses", course(COUNTY, course_id=made["course_id"], edition=3))
    assert (skipping.status_code, skipping.json()["expected"]) == (409, 2)
    await published_course(registrar, COUNTY, lesson(body="新版"), course_id=made["course_id"], edition=2)
    assert [version for _, _, version, _ in await published("course")] == [1, 2]


async def test_a_lesson_of_another_course_is_not_taken_over(registrar: Person) -> None:
    made = await published_course(registrar, COUNTY)
    stolen = lesson(lesson_id=made["lessons"][0]["lesson_id"])
    answer = await registrar.post("/courses", course(COUNTY, stolen))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/lesson_id_taken")


@pytest.mark.parametrize(
    ("lessons", "problem"),
    [
        ([lesson(), lesson(kind="audio", body=None)], "lesson_empty"),
        ([lesson(body=None)], "lesson_empty"),
        ([lesson(lesson_id="0197a000-0000-7000-8000-000000000001")] * 2, "lesson_twice"),
        ([lesson(kind="film")], "invalid"),
        ([lesson(url="ftp://media.example/1")], "invalid"),
        ([lesson(seconds_watched=10)], "invalid"),
    ],
)
async def test_what_makes_no_course_is_refused(registrar: Person, lessons: list[Any], problem: str) -> None:
    answer = await registrar.post("/courses", course(COUNTY, *lessons))
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{problem}")


async def test_publishing_needs_the_permission_and_the_remit(county: County) -> None:
    assert (await county.person(("officer", ROOT_ID)).post("/courses", course(COUNTY))).status_code == 403
    assert (await county.person(("registrar", OTHER_COUNTY)).post("/courses", course(COUNTY))).status_code == 404


async def test_a_course_is_open_to_everyone_at_and_below_its_organisation(county: County, registrar: Person) -> None:
    held = {place: await published_course(registrar, place) for place in (ROOT_ID, COUNTY, OTHER_COUNTY)}
    member, stranger = await county.member(BRANCH), county.person()
    for reader, places in ((member, (ROOT_ID, COUNTY)), (stranger, (ROOT_ID,))):
        listed = await reader.all("/courses")
        assert {item["course_id"] for item in listed} == {held[place]["course_id"] for place in places}
    hidden = held[OTHER_COUNTY]
    assert (await member.get(f"/courses/{hidden['course_id']}")).status_code == 404
    assert (await member.get(f"/lessons/{hidden['lessons'][0]['lesson_id']}")).status_code == 404
    officer = county.person(("officer", OTHER_COUNTY))
    assert (await officer.get(f"/courses/{hidden['course_id']}")).status_code == 200
    assert (await (await county.member(OTHER_BRANCH)).get(f"/courses/{hidden['course_id']}")).status_code == 200


async def test_a_list_is_read_in_pages_from_the_latest(county: County, registrar: Person) -> None:
    made = [(await published_course(registrar, COUNTY))["course_id"] for _ in range(5)]
    assert [item["course_id"] for item in await (await county.member(BRANCH)).all("/courses")] == made[::-1]


async def test_courses_and_lessons_are_listed_by_their_ids_where_they_are_open(
    county: County, registrar: Person
) -> None:
    shown, unasked, hidden = [await published_course(registrar, place) for place in (COUNTY, COUNTY, OTHER_COUNTY)]
    member = await county.member(BRANCH)
    asked = [shown["course_id"], hidden["course_id"], str(new_id())]
    courses = (await member.get("/courses", course_id=asked)).json()["items"]
    assert [item["course_id"] for item in courses] == [shown["course_id"]]
    ids = [made["lessons"][0]["lesson_id"] for made in (shown, hidden, unasked)]
    lessons = (await member.get("/lessons", lesson_id=ids[:2])).json()["items"]
    assert lessons == [{**shown["lessons"][0], "course_id": shown["course_id"], "edition": 1}]
    assert [item["lesson_id"] for item in await member.all("/lessons")] == sorted([ids[0], ids[2]])
    assert [item["lesson_id"] for item in await member.all("/lessons", course_id=unasked["course_id"])] == ids[2:]


async def test_a_lesson_is_given_with_its_content(county: County, registrar: Person) -> None:
    made = await published_course(registrar, COUNTY)
    [listed] = made["lessons"]
    answer = await (await county.member(BRANCH)).get(f"/lessons/{listed['lesson_id']}")
    assert answer.json() == {
        **listed,
        "course_id": made["course_id"],
        "edition": 1,
        "body": "第一步,打开应用。",
        "url": None,
    }


async def test_a_learner_on_edition_one_finishes_edition_one(county: County, registrar: Person) -> None:
    made = await published_course(registrar, COUNTY, lesson(body="旧版"), lesson(title="第二课"))
    course_id, (first, second) = made["course_id"], [one["lesson_id"] for one in made["lessons"]]
    learner, newcomer = await county.member(BRANCH), await county.member(BRANCH)
    await learner.send("PUT", f"/lessons/{first}/progress", {"progress": 10})
    revised = [lesson(lesson_id=first, body="新版"), lesson(title="第三课")]
    await published_course(registrar, COUNTY, *revised, course_id=course_id, edition=2)

    async def sees(reader: Person) -> tuple[int, str]:
        edition = (await reader.get(f"/courses/{course_id}")).json()["edition"]
        listed = (await reader.get("/lessons", lesson_id=[first])).json()["items"]
        assert [item["edition"] for item in listed] == [edition]
        return edition, (await reader.get(f"/lessons/{first}")).json()["body"]

    assert (await sees(learner), await sees(newcomer)) == ((1, "旧版"), (2, "新版"))
    assert (await newcomer.get(f"/lessons/{second}")).status_code == 404
    for one in (first, second):
        assert (await learner.send("PUT", f"/lessons/{one}/progress", {"progress": 100})).status_code == 200
    assert await sees(learner) == (2, "新版")
