"""Which cells of a table of people are hidden, so that no group under five is seen or can be worked out.

The table has a row for each child of one organisation and a column for each measure. A hidden cell could be found by
subtraction along its column (the parent's figure less the siblings') or along its row (a total less the other parts),
so in each such line a companion is hidden with it, until no line gives a cell away. See "complementary cell
suppression", e.g. in the Handbook on Statistical Disclosure Control, Hundepool et al., chapter 4.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

SMALL_GROUP = 5
"""A group of 1 to 4 people is never shown."""

NOT_PEOPLE = frozenset({"activities.scheduled", "activities.closed"})
"""Measures that count no people; they are always shown."""

PARTS_OF = {
    "members.stage": "members.all",
    "members.age": "members.all",
    "participation.by": "participation.attended",
    "cases.now": "cases.received",
}
"""A breakdown, by the beginning of its parts' names, and the total that its parts sum to."""

SUBSETS_OF = {"members.away": "members.all", "members.without_smartphone": "members.all"}
"""A measure that is a subset of another: the rest, too, is a group of people."""

Row = Mapping[str, int]
Cell = tuple[UUID, str]


class _Line(NamedTuple):
    """Cells that sum to a total, and whether the reader is shown that total."""

    cells: list[Cell]
    total_is_shown: bool


def is_small(count: int) -> bool:
    """Say whether a count of people must be hidden for itself."""
    return 0 < count < SMALL_GROUP


def hidden_in(rows: Mapping[UUID, Row], hidden_of_parent: Collection[str] | None) -> dict[UUID, frozenset[str]]:
    """Give the hidden measures of each child, when those of the parent's own figures are `hidden_of_parent`.

    For the root, which has no parent whose figure its own could be subtracted from, that is None.
    The answer depends on the table alone, never on who asks or which page of it, so that two answers cannot be
    subtracted from each other.
    """
    measures = sorted({measure for row in rows.values() for measure in row} - NOT_PEOPLE)
    hidden = {cell for cell in _cells(rows, measures) if _small_for_itself(rows[cell[0]], cell[1])}
    grown = True
    while grown:
        grown = False
        for line in _lines(rows, measures, hidden, hidden_of_parent):
            companion = _companion(rows, line, hidden)
            if companion is not None:
                hidden.add(companion)
                grown = True
    return {child: frozenset(measure for measure in measures if (child, measure) in hidden) for child in rows}


def _cells(rows: Mapping[UUID, Row], measures: list[str]) -> Iterator[Cell]:
    return ((child, measure) for child in rows for measure in measures)


def _small_for_itself(row: Row, measure: str) -> bool:
    count = row.get(measure, 0)
    whole = SUBSETS_OF.get(measure)
    return is_small(count) or (whole is not None and is_small(row.get(whole, 0) - count))


def _lines(
    rows: Mapping[UUID, Row], measures: list[str], hidden: set[Cell], hidden_of_parent: Collection[str] | None
) -> Iterator[_Line]:
    if hidden_of_parent is not None:
        for measure in measures:
            yield _Line([(child, measure) for child in rows], measure not in hidden_of_parent)
    for prefix, total in PARTS_OF.items():
        parts = [measure for measure in measures if measure.startswith(f"{prefix}.")]
        for child in rows:
            yield _Line([(child, part) for part in parts], (child, total) not in hidden)


def _companion(rows: Mapping[UUID, Row], line: _Line, hidden: set[Cell]) -> Cell | None:
    """Give one more cell of the line to hide, if what is shown of it would give a hidden figure away."""
    inside = [cell for cell in line.cells if cell in hidden]
    if line.total_is_shown:
        needed = len(inside) == 1 or (bool(inside) and all(is_small(_count(rows, cell)) for cell in inside))
    else:
        needed = not inside
    if not needed:
        return None
    open_cells = [cell for cell in line.cells if cell not in hidden]
    return min(open_cells, key=lambda cell: (_count(rows, cell) == 0, _count(rows, cell), cell), default=None)


def _count(rows: Mapping[UUID, Row], cell: Cell) -> int:
    return rows[cell[0]].get(cell[1], 0)
