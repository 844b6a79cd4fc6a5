"""The log says of each thing whether an audience sees it now, whatever comes twice or late."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

import privacy
from contracts import EVENT_TYPES, Event, activities, feedback, members
from contracts.identity import PersonErasedV1
from database import Database
from gateway.changes.event_handlers import HANDLERS
from gateway.changes.rules import TELLING
from gateway.home.event_handlers import HANDLERS as HOME
from gateway.worker import OWN_DATA
from privacy import Asked, compose_all
from testkit.delivery import tell

from ..events import disturbed, established, golden, hand_over
from ..home.test_home import (
    ACTIVITY,
    BRANCH,
    CASE,
    COUNTY,
    COURSE,
    LESSON,
    MEMBER,
    OTHER,
    VILLAGER,
    activity,
    case,
    course,
    study,
)

Seen = set[tuple[Any, ...]]


def of_staff(place: UUID) -> str:
    return f"staff:feedback.case.answer:{place}"


def handed_on(to: UUID, version: str = "open") -> Event:
    return feedback.CaseOpenedV1.model_validate(case(version).model_dump() | {"responsible_id": to})


def part(*, attended: bool) -> Event:
    kind = activities.AttendanceRecordedV1 if attended else activities.ParticipantRegisteredV1
    return kind(
        participation_id=UUID(int=51),
        activity_id=ACTIVITY,
        person_id=MEMBER,
        organisation_id=BRANCH,
        affiliation_id=BRANCH,
        registered=True,
        attended=attended,
        mode="remote" if attended else None,
        provenance=("online",) if attended else (),
    )


async def seen(database: Database, log: str = "change", *, gone: bool = False) -> Seen:
    async with database.read() as session:
        found = await session.execute(
            text(f"select scope, subject_id, audience, version from {log} where gone = :gone"),  # noqa: S608
            {"gone": gone},
        )
        return {tuple(row) for row in found}


async def places(database: Database) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    async with database.read() as session:
        found = await session.execute(text("select scope, subject_id, audience, txid::text, id from change"))
        return {tuple(row[:3]): tuple(row[3:]) for row in found}


def test_every_event_of_a_state_that_changes_something_is_handled() -> None:
    assert HANDLERS.keys() == {event for event in EVENT_TYPES.values() if issubclass(event, tuple(TELLING))}


@pytest.mark.parametrize("event", [golden(each) for each in HANDLERS], ids=lambda event: type(event).__name__)
async def test_every_published_event_is_taken(database: Database, event: Event) -> None:
    await hand_over(database, HANDLERS, [(event, 1)])


async def test_a_meeting_is_gone_for_its_members_when_it_is_closed(database: Database) -> None:
    row = ("activities", ACTIVITY, f"members:{BRANCH}")
    await hand_over(database, HANDLERS, [(activity(), 1)])
    assert await seen(database) == {(*row, 1)}
    await hand_over(database, HANDLERS, [(activity(activities.ActivityClosedV1), 2)])
    assert (await seen(database), await seen(database, gone=True)) == (set(), {(*row, 2)})


async def test_a_case_leaves_the_organisation_that_it_was_taken_from_and_stays_with_its_person(
    database: Database,
) -> None:
    mine = ("cases", CASE, f"person:{VILLAGER}")
    await hand_over(database, HANDLERS, [(case("open"), 1)])
    assert await seen(database) == {(*mine, 1), ("cases", CASE, of_staff(COUNTY), 1)}
    await hand_over(database, HANDLERS, [(handed_on(OTHER), 2)])
    assert await seen(database) == {(*mine, 2), ("cases", CASE, of_staff(OTHER), 2)}
    assert await seen(database, gone=True) == {("cases", CASE, of_staff(COUNTY), 2)}
    await hand_over(database, HANDLERS, [(case("confirmed"), 3)])
    assert await seen(database) == {(*mine, 3)}
    assert await seen(database, gone=True) == {("cases", CASE, of_staff(place), 3) for place in (OTHER, COUNTY)}


async def test_in_one_batch_a_thing_leaves_as_it_does_in_several(database: Database) -> None:
    events = [(case("open"), 1), (handed_on(OTHER), 2), (handed_on(BRANCH), 3), (case("confirmed"), 4)]
    await hand_over(database, HANDLERS, events[:3], batch=3)
    assert await seen(database, gone=True) == {
        ("cases", CASE, of_staff(COUNTY), 2),
        ("cases", CASE, of_staff(OTHER), 3),
    }


async def test_the_same_again_or_an_older_state_keeps_its_place(database: Database) -> None:
    await hand_over(database, HANDLERS, [(handed_on(OTHER), 2)])
    before = await places(database)
    await hand_over(database, HANDLERS, [(handed_on(OTHER), 2), (case("open"), 1)])
    assert await places(database) == before


async def test_a_newer_state_takes_a_place_at_the_end(database: Database) -> None:
    await hand_over(database, HANDLERS, [(course(), 1), (case("open"), 1)], batch=1)
    before = await places(database)
    await hand_over(database, HANDLERS, [(course(), 2)])
    after = await places(database)
    assert [key[1] for key in after if after[key] != before[key]] == [COURSE]
    assert max(after, key=lambda key: tuple(map(int, after[key])))[1] == COURSE


async def test_what_is_a_persons_own_part_does_not_touch_the_thing_for_others(database: Database) -> None:
    await hand_over(database, HANDLERS, [(activity(), 3), (part(attended=True), 1), (study(completed=False), 1)])
    assert await seen(database) == {
        ("activities", ACTIVITY, f"members:{BRANCH}", 3),
        ("activities", ACTIVITY, f"person:{MEMBER}", 1),
        ("courses", LESSON, f"person:{MEMBER}", 1),
    }


async def test_an_organisations_new_name_is_told_to_its_members_and_a_new_organisation_to_nobody(
    database: Database,
) -> None:
    new = established(BRANCH, COUNTY, "branch")
    renamed = members.OrganisationRenamedV1.model_validate(new.model_dump() | {"name": "新名"})
    joined = members.MemberAffiliatedV1(person_id=MEMBER, organisation_id=BRANCH)
    await hand_over(database, HANDLERS, [(new, 1), (joined, 1)])
    assert await seen(database) == {("profile", MEMBER, f"person:{MEMBER}", 1)}
    await hand_over(database, HANDLERS, [(renamed, 2)])
    assert ("profile", BRANCH, f"members:{BRANCH}", 2) in await seen(database)


@pytest.mark.parametrize("seed", range(4))
async def test_events_twice_and_out_of_order_show_the_same(database: Database, seed: int) -> None:
    events = [(activity(), 1), (activity(activities.ActivityClosedV1), 2), (part(attended=True), 2), (course(), 1)]
    events += [(case("open"), 1), (handed_on(OTHER), 2), (study(completed=True), 2)]
    await hand_over(database, HANDLERS, disturbed(events, seed))
    assert await seen(database) == {
        ("activities", ACTIVITY, f"person:{MEMBER}", 2),
        ("cases", CASE, f"person:{VILLAGER}", 2),
        ("cases", CASE, of_staff(OTHER), 2),
        ("courses", COURSE, f"members:{COUNTY}", 1),
        ("courses", LESSON, f"person:{MEMBER}", 2),
    }


async def test_what_changes_on_homes_is_logged_with_it(database: Database) -> None:
    await hand_over(database, HOME, [(activity(), 1), (case("open"), 1), (part(attended=False), 1)])
    base = {("home", ACTIVITY, f"members:{BRANCH}", 1), ("home", CASE, f"person:{VILLAGER}", 1)}
    mine = ("home", ACTIVITY, f"person:{MEMBER}", None)
    assert await seen(database, "home_change") == {*base, ("home", CASE, of_staff(COUNTY), 1), mine}
    await hand_over(database, HOME, [(part(attended=True), 2), (handed_on(OTHER), 2)])
    assert await seen(database, "home_change", gone=True) == {mine, ("home", CASE, of_staff(COUNTY), 2)}
    assert ("home", CASE, of_staff(OTHER), 2) in await seen(database, "home_change")


@pytest.mark.parametrize("seed", range(2))
async def test_nobody_who_is_erased_comes_back_into_the_logs(database: Database, seed: int) -> None:
    events = [(part(attended=True), 1), (study(completed=True), 1), (case("open"), 1)]
    for handlers in (HANDLERS, HOME):
        await hand_over(database, handlers, events)
    async with database.read() as session:
        told = await compose_all(OWN_DATA, Asked(session, MEMBER))
    assert [each["scope"] for each in told["changes"]] == ["activities", "courses"]
    assert len(told["home_changes"]) == 2
    for person in (MEMBER, VILLAGER):
        await tell(database, privacy.handlers(OWN_DATA), PersonErasedV1(person_id=person))
    for handlers in (HANDLERS, HOME):
        await hand_over(database, handlers, disturbed([*events, (case("answered"), 2)], seed))
    async with database.read() as session:
        for person in (MEMBER, VILLAGER):
            assert not any((await compose_all(OWN_DATA, Asked(session, person))).values())
    assert {row[2] for row in await seen(database)} == {of_staff(COUNTY)}
