"""Every figure has its measure and every measure its figure, each protected as what it counts."""

from datetime import date, timedelta
from uuid import UUID

import orgtree
from database import Database
from gateway.contributions import rules
from gateway.contributions.event_handlers import HANDLERS
from gateway.contributions.rules import WITHDRAWING, contribution_of
from gateway.overview import queries
from gateway.overview.figures import Formula, figures_on, load_figures
from gateway.overview.rules import control_on
from rulebook import Rule, RuleVersion
from suppression import Group

from ..events import NOW, composed, established, golden, hand_over
from ..names import dotted_names
from .test_people import ABOUT_PEOPLE, every_kind

FIGURES = load_figures()
TODAY = NOW.date()
PLACE, PERSON = UUID(int=11), UUID(int=99)
EVENTS = tuple(every_kind(PLACE, PERSON))
CONTRIBUTIONS = [found for event in EVENTS if (found := contribution_of(event))]


def test_every_measure_has_a_figure_and_every_figure_a_measure() -> None:
    produced = {measure for contribution in CONTRIBUTIONS for measure in contribution.measures}
    assert sorted(produced - FIGURES.keys()) == [], "say in overview/figures.toml what these count"
    why = "contributions/rules.py gives these for no golden event, and for none of every_kind"
    assert sorted(FIGURES.keys() - produced) == [], why


def test_every_measure_that_is_named_has_a_figure() -> None:
    breakdowns = {measure.rpartition(".")[0] for measure in FIGURES}
    named = dotted_names(rules) - breakdowns
    assert named > {"cases.received", "members.away"}
    assert sorted(named - FIGURES.keys()) == [], "say in overview/figures.toml what these count"


def test_the_parts_of_a_figure_add_up_to_it() -> None:
    structure = control_on(FIGURES, TODAY).structure
    for measures in (contribution.measures for contribution in CONTRIBUTIONS):
        for breakdown, total in structure.parts_of.items():
            parts = sum(count for name, count in measures.items() if structure.breakdown_of(name) == breakdown)
            assert parts == measures.get(total, 0), f"{breakdown} does not add up to {total} in {measures}"


def test_what_is_counted_of_people_only_beside_another_is_a_part_of_it() -> None:
    alone = [measure for measure in ABOUT_PEOPLE if not FIGURES[measure].as_of(TODAY).parameters.part_of]
    assert len(alone) > 3
    for measure in alone:
        beside = set.intersection(*(set(each.measures) for each in CONTRIBUTIONS if measure in each.measures))
        why = "it is a part of these: declare `part_of`, with a figure for what it leaves (decision 0021)"
        assert beside - {measure} == set(), f"{measure}: {why}"


def test_each_event_that_is_handled_contributes() -> None:
    for kind in HANDLERS.keys() - WITHDRAWING:
        contribution = contribution_of(golden(kind))
        assert contribution is not None, kind
        assert any(contribution.measures.values()), kind


def test_things_of_people_say_whom_they_are_about_and_nothing_else_does() -> None:
    for event in EVENTS:
        contribution = contribution_of(event)
        assert contribution is not None
        kinds = {FIGURES[measure].as_of(TODAY).parameters.counts for measure in contribution.measures}
        assert (contribution.person_id is not None) == (kinds == {"things_of_people"}), event


def test_what_belongs_together_is_of_one_kind() -> None:
    formulas = {measure: version.parameters for measure, version in figures_on(FIGURES, TODAY).items()}
    breakdown_of = control_on(FIGURES, TODAY).structure.breakdown_of
    for measure, formula in formulas.items():
        siblings = [f for name, f in formulas.items() if breakdown_of(name) == breakdown_of(measure)]
        if formula.part_of:
            assert {(f.part_of, f.counts) for f in siblings} == {(formula.part_of, formula.counts)}
            assert formulas[formula.part_of].counts == formula.counts
        if formula.subset_of:
            assert formula.counts == formulas[formula.subset_of].counts == "people"
    counted = {measure for each in CONTRIBUTIONS if each.person_id is not None for measure in each.measures}
    assert set(ABOUT_PEOPLE) == counted > {"cases.received", "learning.lessons_begun", "participation.attended"}


def test_a_word_without_a_figure_is_protected_with_its_breakdown() -> None:
    row = control_on(FIGURES, TODAY).row_of(
        {"cases.now.handed_on": 3, "members.stage.guest": 2, "activities.scheduled": 1, "unheard.of": 1},
        {"cases.now.handed_on": frozenset({7})},
    )
    assert row == {"cases.now.handed_on": Group(3, frozenset({7})), "members.stage.guest": Group(2)}


def later(measure: str, holds_from: date) -> Rule[Formula]:
    version = FIGURES[measure].versions[0]
    return Rule(measure, [RuleVersion(measure, holds_from, None, version.source, version.parameters)])


async def test_a_figure_that_begins_later_breaks_no_overview_and_is_protected_before(database: Database) -> None:
    band = "members.age.under_35"
    tree = [(established(PLACE, orgtree.ROOT_ID, "county"), 1), (composed(PLACE, under_35=3, over=20), 1)]
    await hand_over(database, {**HANDLERS, **orgtree.HANDLERS}, tree)
    await orgtree.fold(database)
    figures = {**FIGURES, band: later(band, TODAY + timedelta(days=1))}
    for day in (TODAY, TODAY + timedelta(days=1), date(2020, 1, 1)):
        async with database.read() as session:
            found = await queries.overview_of(session, PLACE, figures=figures, day=day)
        shown = {figure.measure: figure.value for figure in found.figures}
        assert (band in shown) == (day > TODAY)
        assert shown.get(band) is None
    assert control_on(figures, TODAY).structure.parts_of == control_on(FIGURES, TODAY).structure.parts_of


def test_a_figure_that_has_ended_is_shown_no_longer() -> None:
    version = FIGURES["members.away"].versions[0]
    ended = RuleVersion(version.rule, version.holds_from, TODAY, version.source, version.parameters)
    figures = {"members.away": Rule("members.away", [ended])}
    assert figures_on(figures, TODAY).keys() == figures.keys()
    assert figures_on(figures, TODAY + timedelta(days=1)) == {}
