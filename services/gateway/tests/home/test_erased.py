"""Nobody who is erased has a home, whatever comes late, twice, or from a rebuild."""

import asyncio

import pytest
from sqlalchemy import text

import privacy
from contracts import feedback, learning
from contracts.identity import PersonErasedV1
from database import Database
from gateway.worker import CONSUMERS, OWN_DATA
from privacy import Asked, compose_all
from testkit.delivery import tell

from ..events import NOW, Numbered, disturbed, hand_over, received
from .test_home import CASE, COUNTY, COURSE, LESSON, MEMBER, VILLAGER, course, study

HOME = CONSUMERS[1].handlers


def case(reporter: object) -> feedback.CaseState:
    return feedback.CaseOpenedV1.model_validate(
        {
            "case_id": CASE,
            "category": "road",
            "organisation_id": COUNTY,
            "responsibility_id": COUNTY,
            "responsible_id": COUNTY,
            "reporter_id": reporter,
            "status": "open",
            "opened_at": NOW,
            "due_at": NOW,
            "due_provisionally": False,
        }
    )


@pytest.mark.parametrize("seed", range(3))
async def test_what_comes_after_the_erasure_brings_nothing_back(database: Database, seed: int) -> None:
    events: list[Numbered] = [(course(), 1), (study(completed=True), 1), (case(VILLAGER), 1)]
    await hand_over(database, HOME, events)
    async with database.read() as session:
        assert (await compose_all(OWN_DATA, Asked(session, MEMBER)))["done"] == [
            {"kind": "course.study", "subject_id": COURSE, "part_id": LESSON, "done": True}
        ]
        assert len((await compose_all(OWN_DATA, Asked(session, VILLAGER)))["home_items"]) == 1
    handlers = privacy.handlers(OWN_DATA)
    for person in (MEMBER, VILLAGER):
        await tell(database, handlers, PersonErasedV1(person_id=person))
    later: list[Numbered] = [(study(completed=True, understood=False), 2), *events]
    await hand_over(database, HOME, disturbed(later, seed))
    async with database.read() as session:
        for person in (MEMBER, VILLAGER):
            part = await compose_all(OWN_DATA, Asked(session, person))
            assert not any(part.values()), part


async def test_an_erased_persons_request_for_help_leaves_the_helpers_homes(database: Database) -> None:
    await hand_over(database, HOME, [(course(), 1), (study(completed=False, understood=False), 1)])
    silent = learning.UnderstandingReportedV1.model_validate(
        {**study(completed=False, understood=False).model_dump(), "understood": None, "asked_organisation_id": None}
    )
    await hand_over(database, HOME, [(silent, 2)])
    async with database.read() as session:
        found = (await session.execute(text("select open from home_item where kind = 'learner.help'"))).all()
    assert [row.open for row in found] == [False]


async def test_an_erasure_waits_for_what_is_being_written_and_takes_it_away(database: Database) -> None:
    handlers = privacy.handlers(OWN_DATA)
    event = study(completed=True)
    async with database.transaction() as session:
        await HOME[type(event)](session, [received(event, 1)])
        erasing = asyncio.create_task(tell(database, handlers, PersonErasedV1(person_id=MEMBER)))
        assert not (await asyncio.wait([erasing], timeout=0.5))[0]
    await erasing
    async with database.read() as session:
        assert not any((await compose_all(OWN_DATA, Asked(session, MEMBER))).values())


async def test_what_is_written_while_an_erasure_is_under_way_waits_for_it_and_sees_it(database: Database) -> None:
    erase = privacy.handlers(OWN_DATA)[PersonErasedV1]
    async with database.transaction() as session:
        await erase(session, [received(PersonErasedV1(person_id=MEMBER), 1)])
        writing = asyncio.create_task(hand_over(database, HOME, [(study(completed=True), 1)]))
        assert not (await asyncio.wait([writing], timeout=0.5))[0]
    await writing
    async with database.read() as session:
        assert not any((await compose_all(OWN_DATA, Asked(session, MEMBER))).values())
