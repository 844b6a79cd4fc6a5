"""No group of one to four people is shown, nor can it be worked out from what is shown."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.overview.suppression import hidden_in, is_small

A, B, C = (UUID(int=number) for number in (1, 2, 3))
BANDS = ("members.age.60_and_over", "members.age.under_35")


def table(counts: list[tuple[int, int]]) -> dict[UUID, dict[str, int]]:
    return {
        UUID(int=number): {"members.all": old + young, BANDS[0]: old, BANDS[1]: young}
        for number, (old, young) in enumerate(counts, start=1)
    }


def test_a_small_cell_is_hidden_and_another_with_it() -> None:
    rows = {A: {"cases.received": 3}, B: {"cases.received": 9}, C: {"cases.received": 30}}
    assert hidden_in(rows, ()) == {A: {"cases.received"}, B: {"cases.received"}, C: frozenset()}


def test_the_companion_is_not_needed_where_the_total_is_hidden_too() -> None:
    rows = {A: {"cases.received": 3}, B: {"cases.received": 9}}
    assert hidden_in(rows, {"cases.received"}) == {A: {"cases.received"}, B: frozenset()}


def test_a_figure_hidden_above_is_not_given_away_by_the_sum_of_what_is_below() -> None:
    rows = {A: {"cases.received": 6}, B: {"cases.received": 9}}
    assert hidden_in(rows, {"cases.received"}) == {A: {"cases.received"}, B: frozenset()}


def test_what_counts_no_people_and_what_is_nobody_is_shown() -> None:
    assert hidden_in({A: {"activities.scheduled": 1, "cases.received": 0}}, ()) == {A: frozenset()}


def test_the_small_rest_of_a_subset_is_hidden_by_hiding_the_subset() -> None:
    rows = {A: {"members.all": 22, "members.away": 20}, B: {"members.all": 22, "members.away": 10}}
    assert "members.away" in hidden_in(rows, ())[A]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=8))
def test_no_line_with_a_shown_total_has_one_cell_or_small_cells_alone_hidden(counts: list[tuple[int, int]]) -> None:
    rows = table(counts)
    hidden = hidden_in(rows, ())
    for child, row in rows.items():
        assert {measure for measure, count in row.items() if is_small(count)} <= hidden[child]
    lines = [([(child, measure) for child in rows], True) for measure in ("members.all", *BANDS)]
    lines += [([(child, band) for band in BANDS], "members.all" not in hidden[child]) for child in rows]
    for cells, total_is_shown in lines:
        concealed = [(child, measure) for child, measure in cells if measure in hidden[child]]
        if total_is_shown and concealed and len(concealed) < len(cells):
            assert len(concealed) > 1
            assert any(not is_small(rows[child][measure]) for child, measure in concealed)


@given(st.permutations(list(range(6))))
def test_the_order_of_the_rows_does_not_matter(order: list[int]) -> None:
    rows = table([(3, 9), (8, 8), (1, 20), (0, 0), (15, 4), (7, 7)])
    keys = list(rows)
    assert hidden_in({keys[position]: rows[keys[position]] for position in order}, ()) == hidden_in(rows, ())
