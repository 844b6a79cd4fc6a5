"""What learning tells of its aggregates anew is what it told last, and a study that a restore forgot is adopted."""

from typing import Any

import orgtree
from database import Database
from learning.app import SERVICE
from learning.help_requests.queries import FACTS
from learning.study.telling import TOLD as STUDY
from orgtree import ROOT_ID, fold
from testkit.county import BRANCH, County, Person
from testkit.databases import TestDatabases
from testkit.forgetting import adopted, forget, rows, tellings

from .lessons import lesson, published_course

TABLES = ("lesson_study", "enrolment")


async def study(person: Person, lesson_id: str, *, progress: int = 0, understanding: str | None = None) -> None:
    if progress:
        answer = await person.send("PUT", f"/lessons/{lesson_id}/progress", {"progress": progress})
        assert answer.status_code in {200, 201}, answer.text
    if understanding:
        answer = await person.post(f"/lessons/{lesson_id}/understanding", {"understanding": understanding})
        assert answer.status_code in {200, 201}, answer.text


async def two_lessons(county: County) -> tuple[Any, list[str]]:
    course = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID, lesson(), lesson(title="二"))
    reader = await county.member(BRANCH)
    read = (await reader.get(f"/courses/{course['course_id']}")).json()
    return course, [each["lesson_id"] for each in read["lessons"]]


async def test_each_is_told_as_it_was_told_last(county: County, database: Database) -> None:
    await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    _, lessons = await two_lessons(county)
    learner, other = await county.member(BRANCH), await county.member(BRANCH)
    await study(learner, lessons[0], progress=100)
    await study(learner, lessons[1], progress=30, understanding="need_help")
    await study(other, lessons[0], understanding="understood")
    for told in SERVICE.told:
        paged, by_id, published = await tellings(database, told)
        assert len(published) > 1
        assert paged == by_id == published


async def test_a_study_that_was_forgotten_is_adopted_with_its_counts(
    county: County, database: Database, databases: TestDatabases
) -> None:
    _, lessons = await two_lessons(county)
    learner, helped = await county.member(BRANCH), await county.member(BRANCH)
    await study(learner, lessons[0], progress=40)
    await study(helped, lessons[0], understanding="need_help")

    async def go_on() -> None:
        for each in lessons:
            await study(learner, each, progress=100)
        await study(learner, lessons[0], understanding="need_help")
        await study(helped, lessons[0], understanding="understood")

    lost = await forget(databases.superuser_url_of(database.dsn), database, STUDY, TABLES, go_on)
    assert await rows(database, TABLES) != lost.tables
    for _ in range(2):
        assert await adopted(database, STUDY, lost.events) == {each.event.study_id for each in lost.events}
        assert await rows(database, TABLES) == lost.tables
    await fold(database)
    async with database.transaction() as session:
        assert await orgtree.mend_by_facts(session, FACTS) == (0, 0)


async def test_a_study_of_a_lesson_that_is_forgotten_too_is_not_adopted(
    county: County, database: Database, databases: TestDatabases
) -> None:
    learner = await county.member(BRANCH)

    async def begin() -> None:
        _, lessons = await two_lessons(county)
        await study(learner, lessons[0], progress=40)

    lost = await forget(databases.superuser_url_of(database.dsn), database, STUDY, TABLES, begin)
    assert len(lost.events) == 1
    assert await adopted(database, STUDY, lost.events) == set()
