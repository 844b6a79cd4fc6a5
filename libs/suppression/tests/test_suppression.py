"""No group of one to four people is shown, nor can it be worked out from what is shown."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from suppression import ITSELF, SMALLEST_SHOWN, Group, Structure, hidden_in, hidden_of_root, is_small, people_in

from .attacker import ATTACKER, Cell, Place, equations_of, known_to_the_attacker, truth_of, worked_out

A, B, C = (UUID(int=number) for number in (1, 2, 3))
STAGES = tuple(f"members.stage.{stage}" for stage in ("applicant", "probationary", "full"))
BANDS = ("members.age.60_and_over", "members.age.under_35")
NOW = ("cases.now.open", "cases.now.answered", "cases.now.confirmed")
KINDS = ("cases.urgent", "cases.ordinary")
HEADS = ("members.all", *STAGES, *BANDS, "members.away")
THINGS = ("cases.received", *NOW, *KINDS)
MEASURES = (*HEADS, *THINGS)
STRUCTURE = Structure(
    parts_of={
        "members.stage": "members.all",
        "members.age": "members.all",
        "cases.now": "cases.received",
        "cases.kind": "cases.received",
    },
    subsets_of={"members.away": "members.all"},
    breakdowns=dict.fromkeys(KINDS, "cases.kind"),
)

counts = st.one_of(st.integers(0, 6), st.integers(0, 40), st.just(0))


@st.composite
def composed(draw: st.DrawFn) -> dict[str, int]:
    """Make what a place counts for itself: members in three stages and two bands, some of them away."""
    stages = [draw(counts) for _ in STAGES]
    members = sum(stages)
    old, away = draw(st.integers(0, members)), draw(st.integers(0, members))
    figures = dict(zip(STAGES, stages, strict=True)) | {BANDS[0]: old, BANDS[1]: members - old}
    return figures | {"members.all": members, "members.away": away}


people = st.none() | st.integers(ATTACKER, 12)
several = st.dictionaries(people, st.integers(1, 6), max_size=7)
of_the_attacker = st.sampled_from([0, 0, 1, 9, 30])


@st.composite
def reported(draw: st.DrawFn) -> dict[str, Mapping[int | None, int]]:
    """Make the cases of a place: of a few people who have some here and some there, nobody's, and the attacker's."""
    things: dict[str, Counter[int | None]] = {measure: Counter() for measure in THINGS}
    for measure in NOW:
        of_people = Counter(draw(several))
        of_people[ATTACKER] += draw(of_the_attacker)
        kind = draw(st.sampled_from(KINDS))
        for counted in (measure, kind, "cases.received"):
            things[counted] += of_people
    return dict(things)


@st.composite
def trees(draw: st.DrawFn) -> Place:
    """Make a tree of three levels; what stands above a branch mostly counts nothing for itself."""
    names = iter(range(100))

    def place(depth: int) -> Place:
        counts_itself = depth == 0 or draw(st.integers(0, 4)) == 0
        heads = draw(composed()) if counts_itself else {}
        things = draw(reported()) if counts_itself and draw(st.booleans()) else {measure: {} for measure in THINGS}
        below = tuple(place(depth - 1) for _ in range(draw(st.integers(1, 4)))) if depth else ()
        return Place(str(next(names)), heads, below, things)

    return place(2)


def totals(place: Place) -> dict[str, Group]:
    return {measure: place.total(measure) for measure in MEASURES}


def shown_of(root: Place) -> dict[Cell, int]:
    """Give what is answered of a tree, all of it."""
    shown: dict[Cell, int] = {}

    def look(place: Place, hidden: frozenset[str]) -> None:
        seen = [measure for measure in MEASURES if measure not in hidden]
        shown.update({(place.name, measure): place.total(measure).value for measure in seen})
        ids = {UUID(int=1 + number): child for number, child in enumerate(place.children)}
        itself = {measure: place.itself(measure) for measure in MEASURES}
        below = hidden_in({key: totals(child) for key, child in ids.items()}, itself, hidden, STRUCTURE)
        for key, child in ids.items():
            look(child, below[key])

    look(root, hidden_of_root(totals(root), STRUCTURE))
    return shown


def given_away(root: Place) -> dict[Cell, Group]:
    """Give the small groups that can be seen or worked out.

    The attacker also knows which offices count nobody themselves, as nearly all that have others below them do, and
    what they have added.
    """
    truth = truth_of(root, MEASURES, STRUCTURE)
    shown = shown_of(root)
    known = shown | {
        (f"{office.name} itself", measure): 0
        for office in root.everywhere()
        for measure in MEASURES
        if office.children and not any(office.itself(each).value for each in MEASURES if each[:5] == measure[:5])
    }
    added = known_to_the_attacker(root, THINGS)
    found = {**shown, **worked_out(equations_of(root, MEASURES, STRUCTURE), known, added)}
    assert found == {cell: truth[cell].value for cell in found}
    return {cell: truth[cell] for cell in found if is_small(truth[cell])}


@settings(max_examples=200, deadline=None)
@given(trees())
def test_no_small_group_is_shown_or_follows_from_all_that_is_shown_of_a_tree(root: Place) -> None:
    assert given_away(root) == {}


def test_the_attacker_finds_what_one_hidden_cell_in_a_line_gives_away() -> None:
    root = Place("county", {}, (Place("north", {"members.all": 3}), Place("south", {"members.all": 30})))
    equations = list(equations_of(root, ["members.all"], STRUCTURE))
    cells = {("county", "members.all"): 33, ("south", "members.all"): 30}
    assert ("north", "members.all") not in worked_out(equations, cells, {})  # it could be the county's own
    cells["county itself", "members.all"] = 0
    assert worked_out(equations, cells, {})["north", "members.all"] == 3


def test_the_attacker_fills_a_hidden_cell_up_with_contributions_and_finds_the_other() -> None:
    north, south = Place("north", {}, things={"cases.received": {7: 2}}), Place("south", {})
    root = Place("county", {}, (north, south._replace(things={"cases.received": {ATTACKER: 9}})))
    known = {("county", "cases.received"): 11, ("county itself", "cases.received"): 0}
    added = known_to_the_attacker(root, ["cases.received"])
    assert added == {
        ("south", "cases.received"): 9,
        ("south itself", "cases.received"): 9,
        ("county", "cases.received"): 9,
    }
    equations = list(equations_of(root, ["cases.received"], STRUCTURE))
    assert worked_out(equations, known, added) == {}
    # ... were the county shown, somebody who knows that nobody else is in the south would know the north.
    assert ("county", "cases.received") not in shown_of(root)


def row(**figures: int) -> dict[str, Group]:
    return {measure: Group(count) for measure, count in figures.items()}


def cases(*received: int) -> dict[UUID, dict[str, Group]]:
    return {UUID(int=1 + number): {"cases.received": Group(count)} for number, count in enumerate(received)}


def hidden(
    rows: Mapping[UUID, Mapping[str, Group]],
    above: frozenset[str] = frozenset(),
    itself: Mapping[str, Group] | None = None,
) -> dict[UUID, frozenset[str]]:
    return hidden_in(rows, itself or {}, above, STRUCTURE)


def test_a_small_cell_is_hidden_and_another_with_it() -> None:
    assert hidden(cases(3, 9, 30)) == {A: {"cases.received"}, B: {"cases.received"}, C: frozenset()}


def test_two_small_cells_that_are_a_small_group_together_take_a_third_along() -> None:
    assert all(hidden(cases(1, 2, 30)).values())
    assert hidden(cases(2, 3, 30))[C] == frozenset()


def test_a_companion_that_counts_nobody_protects_nothing() -> None:
    assert hidden(cases(3, 0, 30)) == {A: {"cases.received"}, B: frozenset(), C: {"cases.received"}}


def test_what_the_organisation_counted_for_itself_is_not_what_its_children_leave() -> None:
    rows = cases(9, 30)
    assert not any(hidden(rows).values())
    assert hidden(rows, itself=row(**{"cases.received": 2}))[A] == {"cases.received"}
    assert not any(hidden(rows, itself=row(**{"cases.received": 11})).values())


def test_a_figure_hidden_above_is_not_given_away_by_the_sum_of_what_is_below() -> None:
    assert hidden(cases(6, 9), frozenset({"cases.received"})) == {A: {"cases.received"}, B: frozenset()}


def test_what_is_hidden_above_is_not_told_within_four_by_what_is_below() -> None:
    assert all(hidden(cases(1, 19), frozenset({"cases.received"})).values())


def test_a_breakdown_hides_the_same_columns_in_two_rows_or_more_and_leaves_the_others() -> None:
    rows = {
        A: row(**{"members.all": 28, STAGES[0]: 2, STAGES[1]: 6, STAGES[2]: 20}),
        B: row(**{"members.all": 40, STAGES[0]: 8, STAGES[1]: 7, STAGES[2]: 25}),
        C: row(**{"members.all": 90, STAGES[0]: 20, STAGES[1]: 30, STAGES[2]: 40}),
    }
    assert hidden(rows) == {A: {*STAGES[:2]}, B: {*STAGES[:2]}, C: frozenset()}


def test_what_is_nobody_is_shown() -> None:
    assert hidden(cases(0)) == {A: frozenset()}


def test_the_small_rest_of_a_subset_is_hidden_by_hiding_the_subset() -> None:
    rows = {A: row(**{"members.all": 22, "members.away": 20}), B: row(**{"members.all": 22, "members.away": 10})}
    assert "members.away" in hidden(rows)[A]


@given(st.permutations(list(range(6))))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    bands = [(3, 9), (8, 8), (1, 20), (0, 0), (15, 4), (7, 7)]
    rows = {
        UUID(int=1 + n): row(**{"members.all": old + young, BANDS[0]: old, BANDS[1]: young})
        for n, (old, young) in enumerate(bands)
    }
    keys = list(rows)
    assert hidden({keys[position]: rows[keys[position]] for position in order}) == hidden(rows)


def test_columns_that_are_a_small_group_together_take_a_third_along() -> None:
    rows = {
        A: row(**{"members.all": 34, STAGES[0]: 2, STAGES[1]: 2, STAGES[2]: 30}),
        B: row(**{"members.all": 34, STAGES[0]: 9, STAGES[1]: 9, STAGES[2]: 16}),
    }
    assert hidden(rows) == {A: set(STAGES), B: set(STAGES)}


def things(*people: Mapping[int, int]) -> dict[UUID, dict[str, Group]]:
    """Make a row for each place, of how many cases each of its people has."""
    return {
        UUID(int=1 + number): {"cases.received": Group(sum(each.values()), frozenset(each))}
        for number, each in enumerate(people)
    }


def test_a_count_of_things_is_hidden_where_fewer_than_five_people_stand_behind_it() -> None:
    five = dict.fromkeys(range(5), 1)
    assert hidden(things(five, {7: 20}, five, five)) == {
        A: {"cases.received"}, B: {"cases.received"}, C: frozenset(), UUID(int=4): frozenset(),
    }  # fmt: skip


def test_who_is_in_two_hidden_places_protects_nobody_twice() -> None:
    few, others = {1: 1, 2: 1, 3: 1}, dict.fromkeys(range(10, 20), 1)
    assert hidden(things(few, {1: 30, 4: 1}, others))[C] == {"cases.received"}  # four people in all
    assert hidden(things(few, {4: 30, 5: 1}, others))[C] == frozenset()


def test_what_is_left_of_a_whole_is_judged_by_its_own_people() -> None:
    rows = things(dict.fromkeys(range(5), 1), dict.fromkeys(range(5), 2))
    one = {"cases.received": Group(9, frozenset({1}))}  # who is in both villages, too
    assert hidden(rows, itself=one) == {A: {"cases.received"}, B: frozenset()}
    assert hidden(rows, itself={"cases.received": Group(9, frozenset(range(5)))}) == {A: frozenset(), B: frozenset()}


def test_things_about_no_known_person_are_hidden() -> None:
    assert hidden_of_root({"cases.received": Group(9, frozenset())}, STRUCTURE) == {"cases.received"}


def test_parts_of_one_person_are_no_companions_of_each_other() -> None:
    states = {
        NOW[0]: Group(3, frozenset({1})),
        NOW[1]: Group(30, frozenset({1})),
        NOW[2]: Group(40, frozenset(range(9))),
    }
    received = {"cases.received": Group(73, frozenset(range(9)))}
    assert hidden_of_root(states | received, STRUCTURE) == set(NOW)


def test_people_are_counted_once_whatever_the_number_of_groups() -> None:
    assert people_in([Group(3), Group(4)]) == 7
    assert people_in([Group(30, frozenset({1, 2})), Group(9, frozenset({2, 3})), Group(2)]) == SMALLEST_SHOWN
    assert ITSELF not in hidden(cases(1))
