"""No group of one to four people is shown, nor can it be worked out from what is shown."""

from collections.abc import Mapping
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.overview.rules import SUBSETS_OF, hidden_in, hidden_of_root, is_small

from .attacker import Cell, Place, equations_of, truth_of, worked_out

A, B, C = (UUID(int=number) for number in (1, 2, 3))
STAGES = tuple(f"members.stage.{stage}" for stage in ("applicant", "probationary", "full"))
BANDS = ("members.age.60_and_over", "members.age.under_35")
MEASURES = ("members.all", *STAGES, *BANDS, "members.away", "cases.received")

counts = st.one_of(st.integers(0, 6), st.integers(0, 40), st.just(0))


@st.composite
def composed(draw: st.DrawFn) -> dict[str, int]:
    """Make what a place counts for itself: members in three stages and two bands, some of them away, and cases."""
    stages = [draw(counts) for _ in STAGES]
    members = sum(stages)
    old, away = draw(st.integers(0, members)), draw(st.integers(0, members))
    figures = dict(zip(STAGES, stages, strict=True)) | {BANDS[0]: old, BANDS[1]: members - old}
    return figures | {"members.all": members, "members.away": away, "cases.received": draw(counts)}


@st.composite
def trees(draw: st.DrawFn) -> Place:
    """Make a tree of three levels; what stands above a branch mostly counts nothing for itself."""
    names = iter(range(100))

    def place(depth: int) -> Place:
        itself = draw(composed()) if depth == 0 or draw(st.integers(0, 4)) == 0 else {}
        below = tuple(place(depth - 1) for _ in range(draw(st.integers(1, 4)))) if depth else ()
        return Place(str(next(names)), itself, below)

    return place(2)


def totals(place: Place) -> dict[str, int]:
    return {measure: place.total(measure) for measure in MEASURES}


def shown_of(root: Place) -> dict[Cell, int]:
    """Give what the overview answers of a tree, all of it."""
    shown: dict[Cell, int] = {}

    def look(place: Place, hidden: frozenset[str]) -> None:
        shown.update({(place.name, measure): place.total(measure) for measure in MEASURES if measure not in hidden})
        ids = {UUID(int=1 + number): child for number, child in enumerate(place.children)}
        below = hidden_in(totals(place), {key: totals(child) for key, child in ids.items()}, hidden)
        for key, child in ids.items():
            look(child, below[key])

    look(root, hidden_of_root(totals(root)))
    return shown


def given_away(root: Place) -> dict[Cell, int]:
    """Give the small groups that the answers show, or that follow from them.

    Which offices count nobody for themselves (a county has no members beside its branches') is no secret.
    """
    truth = truth_of(root, MEASURES)
    shown = shown_of(root)
    known = shown | {
        (f"{office.name} itself", measure): 0
        for office in root.everywhere()
        for measure in MEASURES
        if office.children and not any(office.itself.get(each) for each in MEASURES if each[:5] == measure[:5])
    }
    found = {**shown, **worked_out(equations_of(root, MEASURES), known)}
    assert found.items() <= truth.items()
    return {cell: count for cell, count in found.items() if is_small(count)}


@settings(max_examples=200, deadline=None)
@given(trees())
def test_no_small_group_is_shown_or_follows_from_all_that_is_shown_of_a_tree(root: Place) -> None:
    assert given_away(root) == {}


def test_the_attacker_finds_what_one_hidden_cell_in_a_line_gives_away() -> None:
    root = Place("county", {}, (Place("north", {"cases.received": 3}), Place("south", {"cases.received": 30})))
    equations = list(equations_of(root, ["cases.received"]))
    cells = {("county", "cases.received"): 33, ("south", "cases.received"): 30}
    assert ("north", "cases.received") not in worked_out(equations, cells)  # it could be the county's own
    cells["county itself", "cases.received"] = 0
    assert worked_out(equations, cells)["north", "cases.received"] == 3


def whole(*rows: Mapping[str, int]) -> dict[str, int]:
    return {measure: sum(row.get(measure, 0) for row in rows) for measure in {m for row in rows for m in row}}


def cases(*received: int) -> dict[UUID, dict[str, int]]:
    return {UUID(int=1 + number): {"cases.received": count} for number, count in enumerate(received)}


def hidden(rows: Mapping[UUID, Mapping[str, int]], above: frozenset[str] = frozenset()) -> dict[UUID, frozenset[str]]:
    return hidden_in(whole(*rows.values()), rows, above)


def test_a_small_cell_is_hidden_and_another_with_it() -> None:
    assert hidden(cases(3, 9, 30)) == {A: {"cases.received"}, B: {"cases.received"}, C: frozenset()}


def test_two_small_cells_that_are_a_small_group_together_take_a_third_along() -> None:
    assert all(hidden(cases(1, 2, 30)).values())
    assert hidden(cases(2, 3, 30))[C] == frozenset()


def test_a_companion_that_counts_nobody_protects_nothing() -> None:
    assert hidden(cases(3, 0, 30)) == {A: {"cases.received"}, B: frozenset(), C: {"cases.received"}}


def test_what_the_organisation_counted_for_itself_is_not_what_its_children_leave() -> None:
    rows = cases(9, 30)
    shown = hidden_in({"cases.received": 39}, rows, frozenset())
    assert not any(shown.values())
    assert hidden_in({"cases.received": 41}, rows, frozenset())[A] == {"cases.received"}
    assert not any(hidden_in({"cases.received": 50}, rows, frozenset()).values())


def test_a_figure_hidden_above_is_not_given_away_by_the_sum_of_what_is_below() -> None:
    assert hidden(cases(6, 9), frozenset({"cases.received"})) == {A: {"cases.received"}, B: frozenset()}


def test_what_is_hidden_above_is_not_told_within_four_by_what_is_below() -> None:
    assert all(hidden(cases(1, 19), frozenset({"cases.received"})).values())


def test_a_breakdown_hides_the_same_columns_in_two_rows_or_more_and_leaves_the_others() -> None:
    rows = {
        A: {"members.all": 28, STAGES[0]: 2, STAGES[1]: 6, STAGES[2]: 20},
        B: {"members.all": 40, STAGES[0]: 8, STAGES[1]: 7, STAGES[2]: 25},
        C: {"members.all": 90, STAGES[0]: 20, STAGES[1]: 30, STAGES[2]: 40},
    }
    assert hidden(rows) == {A: {*STAGES[:2]}, B: {*STAGES[:2]}, C: frozenset()}


def test_what_counts_no_people_and_what_is_nobody_is_shown() -> None:
    assert hidden({A: {"activities.scheduled": 1, "cases.received": 0}}) == {A: frozenset()}


def test_the_small_rest_of_a_subset_is_hidden_by_hiding_the_subset() -> None:
    rows = {A: {"members.all": 22, "members.away": 20}, B: {"members.all": 22, "members.away": 10}}
    assert SUBSETS_OF["members.away"] == "members.all"
    assert "members.away" in hidden(rows)[A]


@given(st.permutations(list(range(6))))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    bands = [(3, 9), (8, 8), (1, 20), (0, 0), (15, 4), (7, 7)]
    rows = {
        UUID(int=1 + n): {"members.all": old + young, BANDS[0]: old, BANDS[1]: young}
        for n, (old, young) in enumerate(bands)
    }
    keys = list(rows)
    assert hidden({keys[position]: rows[keys[position]] for position in order}) == hidden(rows)


def test_columns_that_are_a_small_group_together_take_a_third_along() -> None:
    rows = {
        A: {"members.all": 34, STAGES[0]: 2, STAGES[1]: 2, STAGES[2]: 30},
        B: {"members.all": 34, STAGES[0]: 9, STAGES[1]: 9, STAGES[2]: 16},
    }
    assert hidden(rows) == {A: set(STAGES), B: set(STAGES)}
