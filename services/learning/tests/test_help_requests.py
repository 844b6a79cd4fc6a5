"""Where help is needed, over HTTP: counts up the tree that give nobody away, people for their own helpers alone."""

from typing import Any
from uuid import UUID

import pytest_asyncio
from prometheus_client import REGISTRY

import orgtree
from database import Database, raw
from learning.worker import JOBS
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, OTHER_BRANCH, OTHER_COUNTY, SECOND_BRANCH, TOWNSHIP, County, Person

from .lessons import published_course


@pytest_asyncio.fixture
async def lesson_id(county: County) -> str:
    made = await published_course(county.person(("registrar", ROOT_ID)), ROOT_ID)
    return str(made["lessons"][0]["lesson_id"])


async def ask(county: County, database: Database, lesson_id: str, **people: int) -> list[Person]:
    """Let so many members of a branch need help, by the branch's name here, and count them up the tree."""
    asking: list[Person] = []
    for branch, count in people.items():
        place: UUID = {"first": BRANCH, "second": SECOND_BRANCH, "other": OTHER_BRANCH}[branch]
        asking += [await county.member(place) for _ in range(count)]
    for person in asking:
        await person.post(f"/lessons/{lesson_id}/understanding", {"understanding": "need_help"})
    await orgtree.fold(database)
    return asking


async def people(reader: Person, organisation_id: UUID) -> Any:
    listed = await reader.all("/help-requests", organisation_id=str(organisation_id))
    return [item["people"] for item in listed]


async def test_staff_see_at_once_with_which_lesson_help_is_needed(
    county: County, database: Database, lesson_id: str
) -> None:
    await ask(county, database, lesson_id, first=6)
    [item] = await county.person(("officer", COUNTY)).all("/help-requests", organisation_id=str(COUNTY))
    assert (item["lesson_id"], item["people"], item["people_here"]) == (lesson_id, 6, 0)
    assert item["title"] == "怎样用手机缴纳医保"


async def test_a_group_under_five_is_not_shown(county: County, database: Database, lesson_id: str) -> None:
    await ask(county, database, lesson_id, first=4)
    officer = county.person(("officer", ROOT_ID))
    for place in (ROOT_ID, COUNTY, TOWNSHIP, BRANCH):
        assert await people(officer, place) == [None]


async def test_a_small_group_is_not_found_by_subtracting_its_neighbours(
    county: County, database: Database, lesson_id: str
) -> None:
    await ask(county, database, lesson_id, first=8, second=2)
    officer = county.person(("officer", COUNTY))
    assert [await people(officer, place) for place in (TOWNSHIP, BRANCH, SECOND_BRANCH)] == [[10], [None], [None]]


async def test_an_understood_lesson_asks_for_no_more_help(county: County, database: Database, lesson_id: str) -> None:
    asking = await ask(county, database, lesson_id, first=6)
    await asking[0].post(f"/lessons/{lesson_id}/understanding", {"understanding": "understood"})
    await orgtree.fold(database)
    assert await people(county.person(("officer", COUNTY)), COUNTY) == [5]


async def test_only_the_own_branchs_staff_sees_who_asked(county: County, database: Database, lesson_id: str) -> None:
    asking = await ask(county, database, lesson_id, first=3, second=1)
    secretary, officer = county.person(("branch_secretary", BRANCH)), county.person(("officer", COUNTY))
    path = f"/lessons/{lesson_id}/help-requests"
    listed = await secretary.all(path, organisation_id=str(BRANCH))
    assert [item["person_id"] for item in listed] == [str(person.person_id) for person in asking[:3]]
    refused = await officer.get(path, organisation_id=str(BRANCH))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_own_staff")
    assert (await secretary.get(path, organisation_id=str(SECOND_BRANCH))).status_code == 404


async def test_the_own_staff_is_told_how_many_asked_them(county: County, database: Database, lesson_id: str) -> None:
    await ask(county, database, lesson_id, first=3)
    secretary = county.person(("branch_secretary", BRANCH))
    [item] = await secretary.all("/help-requests", organisation_id=str(BRANCH))
    assert (item["people"], item["people_here"]) == (None, 3)


async def test_the_own_staff_cannot_subtract_those_who_asked_it_from_the_total(
    county: County, database: Database, lesson_id: str
) -> None:
    await ask(county, database, lesson_id, first=3, second=10)
    for person in [await county.member(TOWNSHIP) for _ in range(4)]:
        await person.post(f"/lessons/{lesson_id}/understanding", {"understanding": "need_help"})
    await orgtree.fold(database)
    staff = county.person(("officer", TOWNSHIP))
    [item] = await staff.all("/help-requests", organisation_id=str(TOWNSHIP))
    assert (item["people"], item["people_here"]) == (17, 4)
    # 17 people, less the 4 who asked the township: 13 in two branches, neither of which may be shown.
    assert [await people(staff, place) for place in (BRANCH, SECOND_BRANCH)] == [[None], [None]]


async def test_the_figures_of_another_county_are_not_to_be_had(
    county: County, database: Database, lesson_id: str
) -> None:
    await ask(county, database, lesson_id, other=6)
    officer, learner = county.person(("officer", COUNTY)), await county.member(BRANCH)
    assert (await officer.get("/help-requests", organisation_id=str(OTHER_COUNTY))).status_code == 404
    assert (await learner.get("/help-requests", organisation_id=str(BRANCH))).status_code == 403


async def test_the_nightly_recount_holds_the_counts_against_the_open_requests(
    county: County, database: Database, lesson_id: str
) -> None:
    def drift() -> list[float | None]:
        return [REGISTRY.get_sample_value("orgtree_rollup_drift", {"part": part}) for part in ("totals", "own_values")]

    [recount] = [job.run for job in JOBS if isinstance(job.run, orgtree.NightlyRecount)]
    asking = await ask(county, database, lesson_id, first=3, other=1)
    await asking[0].post(f"/lessons/{lesson_id}/understanding", {"understanding": "understood"})
    await recount.recount(database)
    assert drift() == [0, 0]
    async with database.transaction() as session:
        await (await raw(session)).execute("update rollup set value = value + 1 where organisation_id = $1", COUNTY)
        await (await raw(session)).execute("delete from rollup_delta")
    await recount.recount(database)
    assert drift() == [1, 2]  # the count, and the person behind it
