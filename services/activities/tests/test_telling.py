"""What activities tells of its aggregates anew is what it told last, and what a restore forgot of people is adopted."""

import pytest

from activities.app import SERVICE
from activities.participation.telling import TOLD as PARTICIPATION
from contracts.activities import AttendanceRecordedV1
from database import Database, raw
from testkit.county import BRANCH, County, Person
from testkit.databases import TestDatabases
from testkit.forgetting import Forgotten, adopted, forget, rows, tellings

from .meetings import scheduled

TABLES = ("participation", "attendance_report")


@pytest.fixture
def secretary(county: County) -> Person:
    return county.person(("branch_secretary", BRANCH))


async def sheet(secretary: Person, held: str, *people: Person) -> None:
    body = {"person_ids": [str(person.person_id) for person in people]}
    assert (await secretary.post(f"{held}/attendance-sheets", body)).status_code == 200


async def test_each_is_told_as_it_was_told_last(county: County, secretary: Person, database: Database) -> None:
    held, closed, _ = [await scheduled(secretary) for _ in range(3)]
    registered, online, late = [await county.member(BRANCH) for _ in range(3)]
    for member in (registered, online):
        await member.post(f"{held}/registrations")
    for member in (online, late):
        await member.post(f"{held}/attendances", {})
    await sheet(secretary, held, online)
    await late.post(f"{held}/registrations")
    etag = (await secretary.get(closed)).headers["etag"]
    assert (await secretary.post(f"{closed}/closing", if_match=etag)).status_code == 200
    for told in SERVICE.told:
        paged, by_id, published = await tellings(database, told)
        assert published
        assert paged == by_id == published


async def lose(
    county: County, secretary: Person, databases: TestDatabases, *, registered: bool
) -> tuple[Database, Forgotten, str]:
    """Forget how a member took part, who had registered before the copy or not."""
    held, member, other = await scheduled(secretary), await county.member(BRANCH), await county.member(BRANCH)
    if registered:
        await member.post(f"{held}/registrations")

    async def take_part() -> None:
        await member.post(f"{held}/attendances", {})
        await sheet(secretary, held, member, other)

    database = county.database
    lost = await forget(databases.superuser_url_of(database.dsn), database, PARTICIPATION, TABLES, take_part)
    return database, lost, held


@pytest.mark.parametrize("registered", [False, True])
async def test_attendance_that_was_forgotten_is_adopted_with_all_who_reported_it(
    county: County, secretary: Person, databases: TestDatabases, registered: bool
) -> None:
    database, lost, _ = await lose(county, secretary, databases, registered=registered)
    assert await rows(database, TABLES) != lost.tables
    events = {each.event.participation_id for each in lost.events}
    assert len(events) == 2
    assert await adopted(database, PARTICIPATION, lost.events) == events
    found = await rows(database, TABLES)
    for report in (*found["attendance_report"], *lost.tables["attendance_report"]):
        del report["reported_by"], report["mode"]  # the last reporter and the first mode stand for all
    assert found == lost.tables
    assert await adopted(database, PARTICIPATION, lost.events) == events
    assert (await rows(database, TABLES))["participation"] == lost.tables["participation"]


async def test_what_belongs_to_a_forgotten_activity_or_was_begun_anew_is_not_adopted(
    county: County, secretary: Person, databases: TestDatabases
) -> None:
    database, lost, held = await lose(county, secretary, databases, registered=False)
    [first, second] = lost.events
    anew = county.person(person_id=first.event.person_id)
    await anew.post(f"{held}/attendances", {})
    async with database.transaction() as session:
        gone = AttendanceRecordedV1(**{**second.event.model_dump(), "activity_id": second.event.person_id})
        assert await PARTICIPATION.adopt(session, [first, second._replace(event=gone)]) == []  # type: ignore[misc]
        assert await (await raw(session)).fetchval("select count(*) from participation") == 1
