"""A figure of things about people is shown only where five people stand behind it, at every level."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import pytest

import orgtree
from contracts import Event, activities, feedback, learning, members
from database import Database, new_id
from gateway.contributions.event_handlers import HANDLERS as CONTRIBUTING_EVENTS
from gateway.contributions.rules import WITHDRAWING, contribution_of
from gateway.overview.figures import figures_on, load_figures
from gateway.worker import CONSUMERS

from ..events import NOW, Numbered, established, golden, hand_over
from .test_overview import figures_of

HANDLERS = CONSUMERS[0].handlers
COUNTY, TOWNSHIP = UUID(int=11), UUID(int=12)
VILLAGES = tuple(UUID(int=20 + number) for number in range(5))
TREE: list[Numbered] = [
    (established(COUNTY, orgtree.ROOT_ID, "county"), 1),
    (established(TOWNSHIP, COUNTY, "township"), 1),
    *((established(village, TOWNSHIP, "village"), 1) for village in VILLAGES),
]
ONE_PERSON = UUID(int=99)
ABOUT_PEOPLE = sorted(
    measure
    for measure, figure in figures_on(load_figures(), NOW.date()).items()
    if figure.parameters.counts == "things_of_people"
)


def participation(place: UUID, person: UUID, *, mode: str | None, registered: bool = True) -> Event:
    kind = activities.AttendanceRecordedV1 if mode else activities.ParticipantRegisteredV1
    return kind(
        participation_id=new_id(),
        activity_id=new_id(),
        person_id=person,
        organisation_id=place,
        affiliation_id=place,
        registered=registered,
        attended=mode is not None,
        mode=mode,
    )


def study(place: UUID, person: UUID, *, understood: bool | None, completed: bool = False) -> Event:
    return learning.UnderstandingReportedV1(
        study_id=new_id(),
        person_id=person,
        course_id=new_id(),
        lesson_id=new_id(),
        affiliation_id=place,
        progress=10,
        completed=completed,
        understood=understood,
    )


def case(place: UUID, person: UUID | None, *, status: str = "open") -> Event:
    return feedback.CaseOpenedV1(
        case_id=new_id(),
        category="road",
        organisation_id=place,
        responsible_id=place,
        reporter_id=person,
        status=status,
        opened_at=NOW,
        due_at=NOW,
    )


def about(event: Event, place: UUID, person: UUID) -> Event:
    """Give another aggregate of the same, which counts for this place and is about this person."""
    contribution = contribution_of(event)
    assert contribution is not None
    ids = {contribution.organisation_id: place, contribution.person_id: person}
    named = {name: ids[value] for name, value in event if isinstance(value, UUID) and value in ids}
    return event.model_copy(update={event.identified_by: new_id()} | named)


def every_kind(place: UUID, person: UUID) -> Iterator[Event]:
    """Give each event that contributes, as its golden file has it, and the words and states that none of them has."""
    for kind in CONTRIBUTING_EVENTS.keys() - WITHDRAWING:
        yield about(golden(kind), place, person)
    yield members.CompositionCountedV1(
        organisation_id=place,
        members=5,
        away=1,
        without_smartphone=1,
        stages=dict.fromkeys(("applicant", "activist", "development_target", "probationary", "full"), 1),
        age_bands={"under_35": 1, "35_to_59": 2, "60_and_over": 2},
    )
    for mode, registered in ((None, True), ("in_person", True), ("in_person", False)):
        yield participation(place, person, mode=mode, registered=registered)
    for word in (None, True, False):
        yield study(place, person, understood=word, completed=word is not None)


def one_that_counts(measure: str, place: UUID, person: UUID) -> Event:
    """Give an event of a person's that adds one to a figure of a place."""
    return next(
        event for event in every_kind(place, person) if (found := contribution_of(event)) and measure in found.measures
    )


async def counted(database: Database, measure: str, what: Iterable[tuple[UUID, UUID]]) -> None:
    """Let people (place, person) add one each to a figure."""
    events: Sequence[Numbered] = [(one_that_counts(measure, place, person), 1) for place, person in what]
    await hand_over(database, HANDLERS, [*TREE, *events])


@pytest.mark.parametrize("measure", ABOUT_PEOPLE)
async def test_one_person_with_five_lessons_is_hidden(database: Database, measure: str) -> None:
    await counted(database, measure, [(VILLAGES[0], ONE_PERSON)] * 5)
    for place in (VILLAGES[0], TOWNSHIP, COUNTY, orgtree.ROOT_ID):
        assert (await figures_of(database, place))[measure] is None


@pytest.mark.parametrize("measure", ABOUT_PEOPLE)
async def test_one_person_in_five_villages_is_hidden_above_them(database: Database, measure: str) -> None:
    await counted(database, measure, [(village, ONE_PERSON) for village in VILLAGES for _ in range(5)])
    for place in (*VILLAGES, TOWNSHIP, COUNTY, orgtree.ROOT_ID):
        assert (await figures_of(database, place))[measure] is None


@pytest.mark.parametrize("measure", ABOUT_PEOPLE)
async def test_five_people_in_five_villages_are_shown_above_them(database: Database, measure: str) -> None:
    await counted(database, measure, [(village, new_id()) for village in VILLAGES])
    for place in (TOWNSHIP, COUNTY, orgtree.ROOT_ID):
        assert (await figures_of(database, place))[measure] == 5
    assert (await figures_of(database, VILLAGES[0]))[measure] is None


async def test_one_lesson_that_needs_help_is_not_what_the_others_leave_of_those_begun(database: Database) -> None:
    people = [new_id() for _ in range(6)]
    understood = [study(VILLAGES[0], person, understood=True, completed=True) for person in people * 2]
    asking = study(VILLAGES[0], people[0], understood=False)
    await hand_over(database, HANDLERS, [*TREE, *((event, 1) for event in (*understood, asking))])
    figures = await figures_of(database, VILLAGES[0])
    assert (figures["learning.lessons_begun"], figures["learning.nothing_said"]) == (13, 0)
    for part in ("need_help", "understood", "lessons_under_way", "lessons_completed"):
        assert figures[f"learning.{part}"] is None


async def test_cases_without_a_reporter_are_of_no_person(database: Database) -> None:
    await hand_over(database, HANDLERS, [*TREE, *((case(VILLAGES[0], None), 1) for _ in range(9))])
    assert (await figures_of(database, COUNTY))["cases.received"] is None
