"""Figures follow the events, whatever their order, and a branch's small groups stay hidden all the way up."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

import orgtree
from contracts import activities, feedback, learning
from database import Database, new_id, raw
from gateway.overview import queries
from gateway.overview.figures import load_figures
from gateway.worker import CONSUMERS, JOBS

from ..events import NOW, Numbered, composed, disturbed, established, hand_over

FIGURES = load_figures()
HANDLERS = CONSUMERS[0].handlers
COUNTY, NORTH, SOUTH = (UUID(int=number) for number in (11, 12, 13))
TREE: list[Numbered] = [
    (established(COUNTY, orgtree.ROOT_ID, "county"), 1),
    (established(NORTH, COUNTY, "branch"), 1),
    (established(SOUTH, COUNTY, "branch"), 1),
]


async def figures_of(database: Database, organisation_id: UUID) -> dict[str, int | None]:
    await orgtree.fold(database)
    async with database.read() as session:
        found = await queries.overview_of(session, organisation_id, figures=FIGURES, day=NOW.date())
    return {figure.measure: figure.value for figure in found.figures}


def case(number: int, version: int, place: UUID = NORTH) -> Numbered:
    kind, status = [
        (feedback.CaseOpenedV1, "open"),
        (feedback.CaseAnsweredV1, "answered"),
        (feedback.CaseConfirmedV1, "confirmed"),
    ][version - 1]
    event = kind(
        case_id=UUID(int=1000 + number),
        category="road",
        organisation_id=place,
        responsible_id=COUNTY,
        reporter_id=new_id(),
        status=status,
        opened_at=NOW,
        due_at=NOW,
    )
    return event, version


async def test_figures_add_up_from_the_branches_to_the_province(database: Database) -> None:
    events = [*TREE, (composed(NORTH, under_35=10, over=12), 1), (composed(SOUTH, under_35=20, over=20), 1)]
    await hand_over(database, HANDLERS, events)
    assert (await figures_of(database, NORTH))["members.all"] == 22
    assert (await figures_of(database, COUNTY))["members.all"] == 62
    assert (await figures_of(database, orgtree.ROOT_ID))["members.all"] == 62


async def test_a_new_composition_replaces_the_old(database: Database) -> None:
    events = [*TREE, (composed(NORTH, under_35=10, over=12), 1), (composed(NORTH, under_35=11, over=14), 2)]
    await hand_over(database, HANDLERS, events)
    assert (await figures_of(database, COUNTY))["members.all"] == 25


@pytest.mark.parametrize("seed", range(4))
async def test_events_twice_and_out_of_order_give_the_same_figures(database: Database, seed: int) -> None:
    cases = [case(number, version) for number in range(12) for version in range(1, 2 + number % 3)]
    events: Sequence[Numbered] = [
        *TREE,
        (composed(NORTH, under_35=10, over=12), 1),
        (composed(SOUTH, over=6), 1),
        *cases,
    ]
    await hand_over(database, HANDLERS, disturbed(events, seed))
    figures = await figures_of(database, COUNTY)
    assert (figures["members.all"], figures["cases.received"]) == (28, 12)
    async with database.read() as session:
        assert await orgtree.recount(session) == []
        own = await orgtree.totals(session, COUNTY)
    assert [own[f"cases.now.{status}"] for status in ("open", "answered", "confirmed")] == [4, 4, 4]


async def test_a_case_that_is_answered_is_no_longer_open(database: Database) -> None:
    await hand_over(database, HANDLERS, TREE)
    await hand_over(database, HANDLERS, [case(number, 1) for number in range(9)])
    assert (await figures_of(database, COUNTY))["cases.now.open"] == 9
    await hand_over(database, HANDLERS, [case(number, 2) for number in range(9)])
    figures = await figures_of(database, COUNTY)
    assert (figures["cases.now.open"], figures["cases.now.answered"]) == (0, 9)


@pytest.mark.parametrize("status", ["handed_on", "handed.on"])
async def test_a_case_in_an_unknown_status_counts_as_received_and_gives_no_small_group_away(
    database: Database, status: str
) -> None:
    def handed_on(number: int) -> Numbered:
        event, version = case(number, 2)
        return event.model_copy(update={"status": status}), version

    await hand_over(database, HANDLERS, [*TREE, *(case(number, 1) for number in range(20))])
    await hand_over(database, HANDLERS, [handed_on(number) for number in range(8)])
    figures = await figures_of(database, COUNTY)
    assert (figures["cases.received"], figures["cases.now.open"], figures["cases.now.answered"]) == (20, 12, 0)
    await hand_over(database, HANDLERS, [case(20, 1), *((case(number, 3)[0], 3) for number in range(5))])
    figures = await figures_of(database, COUNTY)
    assert None in (figures["cases.received"], figures["cases.now.open"], figures["cases.now.confirmed"])


async def test_an_unknown_way_of_taking_part_counts_as_taking_part(database: Database) -> None:
    parts = [
        activities.AttendanceRecordedV1(
            participation_id=new_id(),
            activity_id=COUNTY,
            person_id=new_id(),
            organisation_id=NORTH,
            affiliation_id=NORTH,
            registered=False,
            attended=True,
            mode=mode,
            provenance=("badge",),
        )
        for mode in ("hologram",) * 6 + ("remote",) * 7
    ]
    await hand_over(database, HANDLERS, [*TREE, *((part, 1) for part in parts)])
    figures = await figures_of(database, NORTH)
    assert (figures["participation.attended"], figures["participation.by.remote"]) == (13, 7)
    assert figures["participation.by.in_person"] == 0


async def test_a_small_group_is_hidden_in_every_answer_that_could_tell_it(database: Database) -> None:
    small, large = {"under_35": 3, "60_and_over": 19}, {"under_35": 20, "60_and_over": 20}
    await hand_over(database, HANDLERS, [*TREE, (composed(NORTH, **small), 1), (composed(SOUTH, **large), 1)])
    await orgtree.fold(database)
    async with database.read() as session:
        children = await queries.overviews_of_children(
            session, COUNTY, figures=FIGURES, day=NOW.date(), after=None, limit=10
        )
    concealed = {child.organisation_id: {f.measure for f in child.figures if f.suppressed} for child in children}
    both = {"members.age.under_35", "members.age.60_and_over"}
    assert concealed == {NORTH: both, SOUTH: both}  # one alone would follow from the other, or from the sibling's
    for branch in (NORTH, SOUTH):
        figures = await figures_of(database, branch)
        assert figures["members.all"] is not None
        assert figures["members.age.under_35"] is figures["members.age.60_and_over"] is None
    assert (await figures_of(database, COUNTY))["members.age.under_35"] == 23


async def test_places_stand_in_the_order_of_divisions_whatever_their_figures_and_pages(database: Database) -> None:
    uncoded = [("第二支部", None), ("第一支部", None)]
    places = [*uncoded, ("河边乡", "522731100"), ("山上镇", "522731001"), ("田坝镇", "522731002")]
    events = [
        (established(UUID(int=21 + at), COUNTY).model_copy(update={"name": name, "division_code": code}), 1)
        for at, (name, code) in enumerate(places)
    ]
    large = (composed(UUID(int=23), over=40), 1)
    await hand_over(database, HANDLERS, [TREE[0], *events, large])
    names, after = [], None
    async with database.read() as session:
        while page := await queries.overviews_of_children(
            session, COUNTY, figures=FIGURES, day=NOW.date(), after=after, limit=2
        ):
            names += [child.organisation_name for child in page]
            after = queries.official(page[-1].division_code, names[-1], page[-1].organisation_id)
    assert names == ["山上镇", "田坝镇", "河边乡", "第一支部", "第二支部"]


async def test_a_learner_without_a_branch_is_in_no_figure(database: Database) -> None:
    study = learning.LessonProgressedV1(
        study_id=new_id(),
        person_id=new_id(),
        course_id=new_id(),
        lesson_id=new_id(),
        affiliation_id=None,
        progress=10,
        completed=False,
    )
    await hand_over(database, HANDLERS, [*TREE, (study, 1)])
    assert (await figures_of(database, orgtree.ROOT_ID))["learning.lessons_begun"] == 0


def drift(part: str) -> float | None:
    return REGISTRY.get_sample_value("orgtree_rollup_drift", {"part": part})


async def test_the_nightly_recount_holds_the_figures_against_the_contributions(database: Database) -> None:
    [recount] = [job.run for job in JOBS if isinstance(job.run, orgtree.NightlyRecount)]
    events = [*TREE, (composed(NORTH, under_35=10, over=12), 1), (composed(SOUTH, over=6), 1), case(1, 1), case(1, 2)]
    await hand_over(database, HANDLERS, events)
    for _ in range(2):  # deltas that wait count as well as those that were folded
        await recount.recount(database)
        assert (drift("totals"), drift("own_values")) == (0, 0)
        await orgtree.fold(database)
    async with database.transaction() as session:
        await (await raw(session)).execute(
            """update contribution set measures = '{"members.all": 23}' where version = 1
            and organisation_id = $1 and aggregate = 'composition'""",
            NORTH,
        )
    await recount.recount(database)
    own_measures = {"members.all", "members.stage.full", "members.age.under_35", "members.age.over"}
    assert (drift("totals"), drift("own_values")) == (0, len(own_measures))
