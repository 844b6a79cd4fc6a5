"""Whatever the counts, no hidden group of one to four can be worked out from what is shown."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeAlias
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from learning.help_requests.rules import Level, hidden_along, hidden_parts
from suppression import SMALLEST_SHOWN, Group

Table: TypeAlias = dict[UUID, dict[UUID, int]]
ROOT = UUID(int=100)

parts = st.dictionaries(
    st.integers(1, 6).map(lambda number: UUID(int=number)),
    st.dictionaries(
        st.integers(101, 104).map(lambda number: UUID(int=number)), st.integers(1, 12), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=6,
)


def totals(table: Table) -> Counter[UUID]:
    summed: Counter[UUID] = Counter()
    for counts in table.values():
        summed.update(counts)
    return summed


def grouped(counts: Mapping[UUID, int]) -> dict[UUID, Group]:
    return {lesson: Group(count) for lesson, count in counts.items()}


def level_of(
    place: UUID, counts: Mapping[UUID, int], children: Table, grandchildren: Mapping[UUID, Mapping[UUID, int]]
) -> Level:
    """Make the level of an organisation that nobody asked itself; all who ask are different people."""
    parts = {child: grouped(of_child) for child, of_child in children.items()}
    below = {child: grouped(of_child) for child, of_child in grandchildren.items()}
    return Level.of(place, grouped(counts), {}, parts, below)


def protects(hidden_counts: list[int]) -> bool:
    return not hidden_counts or (len(hidden_counts) > 1 and sum(hidden_counts) >= SMALLEST_SHOWN)


def hidden_below(table: Table) -> tuple[set[UUID], set[tuple[UUID, UUID]]]:
    """Give the lessons hidden at the top of a table, and the cells hidden in it."""
    level = level_of(ROOT, totals(table), table, {})
    hidden = set(hidden_along([level]))
    return hidden, hidden_parts(level, hidden)


@given(parts)
def test_every_small_group_is_hidden(table: Table) -> None:
    _, hidden = hidden_below(table)
    for part, counts in table.items():
        assert {(part, lesson) for lesson, count in counts.items() if count < SMALLEST_SHOWN} <= hidden


@given(parts)
def test_subtracting_what_is_shown_from_a_lessons_total_leaves_five_people_in_two_places(table: Table) -> None:
    above, hidden = hidden_below(table)
    for lesson in totals(table).keys() - above:
        assert protects([counts.get(lesson, 0) for part, counts in table.items() if (part, lesson) in hidden])


@given(parts)
def test_subtracting_what_is_shown_from_the_total_of_all_lessons_leaves_five_people(table: Table) -> None:
    above, hidden = hidden_below(table)
    summed = totals(table)
    assert protects([summed[lesson] for lesson in above]) or len(summed) == 1 or summed.total() < SMALLEST_SHOWN
    for part, counts in table.items():
        inside = [counts.get(lesson, 0) for lesson in summed if (part, lesson) in hidden]
        assert protects(inside) or len(summed) == 1 or sum(counts.values()) < SMALLEST_SHOWN


def test_a_lesson_that_one_part_alone_needs_help_with_does_not_give_its_others_away() -> None:
    large, small, everybodys, its_own = (UUID(int=number) for number in (1, 2, 101, 102))
    table = {large: {everybodys: 6, its_own: 9}, small: {everybodys: 2}}
    above, hidden = hidden_below(table)
    assert above == set()
    # 15 people in all, less 9 of the one lesson, would leave 6 of the other, and those 2 for the small part.
    assert hidden == {(part, lesson) for part in table for lesson in (everybodys, its_own)}


@given(parts)
def test_what_is_shown_depends_on_the_counts_alone(table: Table) -> None:
    turned = {part: dict(reversed(counts.items())) for part, counts in reversed(table.items())}
    assert hidden_below(table) == hidden_below(turned)


@given(parts, st.integers(1, 6))
def test_what_is_hidden_above_is_hidden_below(table: Table, child: int) -> None:
    middle, leaf = UUID(int=child), UUID(int=99)
    below = table.get(middle, {})
    levels = [
        level_of(ROOT, totals(table), table, {middle: below}),
        level_of(middle, below, {leaf: below}, {}),
        Level.of(leaf, grouped(below), grouped(below), {}, {}),
    ]
    assert hidden_along(levels) >= hidden_along(levels[:2])


def test_one_person_who_needs_help_with_five_lessons_is_no_group_of_five() -> None:
    one, others, usual = frozenset({1}), frozenset(range(10, 16)), UUID(int=101)
    rare = [UUID(int=number) for number in range(102, 107)]
    part = {usual: Group(6, others), UUID(int=107): Group(7, others)} | {lesson: Group(1, one) for lesson in rare}
    total = {**part, **{lesson: Group(9, others | {1}) for lesson in rare}}
    elsewhere = {lesson: Group(8, others) for lesson in rare}
    hidden = hidden_parts(Level.of(ROOT, total, {}, {UUID(int=1): part, UUID(int=2): elsewhere}, {}), ())
    # The 18 requests of the part are shown elsewhere. Less 13 shown ones, 5 would be left, all of one person.
    assert {(UUID(int=1), lesson) for lesson in (usual, *rare)} <= hidden
