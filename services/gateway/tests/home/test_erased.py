"""Nobody who is erased has a home, whatever comes late, twice, or from a rebuild."""

import pytest
from sqlalchemy import text

import privacy
from contracts import feedback, learning
from contracts.identity import PersonErasedV1
from database import Database
from gateway import own_data
from gateway.worker import CONSUMERS
from testkit.told import tell

from ..events import NOW, Numbered, disturbed, hand_over
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
        assert (await own_data.compose(session, MEMBER))["studies"] == [
            {"course_id": COURSE, "lesson_id": LESSON, "completed": True}
        ]
        assert len((await own_data.compose(session, VILLAGER))["home_items"]) == 1
    handlers = privacy.handlers(own_data.forget)
    for person in (MEMBER, VILLAGER):
        await tell(database, handlers, PersonErasedV1(person_id=person))
    later: list[Numbered] = [(study(completed=True, understood=False), 2), *events]
    await hand_over(database, HOME, disturbed(later, seed))
    async with database.read() as session:
        for person in (MEMBER, VILLAGER):
            part = await own_data.compose(session, person)
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
