"""Which cells of a table of people are hidden, so that no group under five is seen or can be worked out.

The table has a row for each part of one organisation: its children, and what was counted for the organisation itself,
which is never shown but is what the children leave of the whole. It has a column for each measure. Measures that sum
to another form a block, and of each block the same columns are hidden in the same rows: with two of each, a figure can
be raised where its neighbours are lowered without changing anything that is shown, so that no subtraction, and no
combination of them, gives one away. What is hidden of a whole stays hidden among its parts. See "complementary cell
suppression", e.g. in the Handbook on Statistical Disclosure Control, Hundepool et al., chapter 4.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
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

ITSELF = UUID(int=0)
"""The row of what was counted for the organisation itself."""

Row = Mapping[str, int]


class _Block(NamedTuple):
    """Columns that are hidden together, and the total they sum to where there is one."""

    measures: Sequence[str]
    total: str | None


def is_small(count: int) -> bool:
    """Say whether a count of people must be hidden for itself."""
    return 0 < count < SMALL_GROUP


def hidden_of_root(whole: Row) -> frozenset[str]:
    """Give the hidden measures of the root: there is nothing above that its figures could be subtracted from."""
    return _hidden({ITSELF: whole}, None)[ITSELF]


def hidden_in(whole: Row, children: Mapping[UUID, Row], hidden_of_whole: Collection[str]) -> dict[UUID, frozenset[str]]:
    """Give the hidden measures of each child of an organisation whose own hidden measures are `hidden_of_whole`.

    The answer depends on the table alone, never on who asks or which page of it, so that two answers cannot be
    subtracted from each other.
    """
    measures = whole.keys() | {measure for row in children.values() for measure in row}
    itself = {
        measure: max(0, whole.get(measure, 0) - sum(row.get(measure, 0) for row in children.values()))
        for measure in measures
    }
    hidden = _hidden({**children, ITSELF: itself}, hidden_of_whole)
    return {child: hidden[child] for child in children}


def _hidden(rows: Mapping[UUID, Row], above: Collection[str] | None) -> dict[UUID, frozenset[str]]:
    """Give the hidden measures of each row; those `above` are hidden of their sum, which is not shown if it is None."""
    table = {row: {**counts, **_rests(counts)} for row, counts in rows.items()}
    hidden: dict[UUID, set[str]] = {row: set() for row in rows}
    for block in _blocks(sorted({measure for row in table.values() for measure in row} - NOT_PEOPLE)):
        without_total = {row for row in rows if block.total in hidden[row]}
        counts = {
            row: {measure: cells.get(measure, 0) for measure in block.measures}
            for row, cells in table.items()
            if any(cells.get(measure) for measure in block.measures)
        }
        concealed, columns = _Hiding(counts, block, without_total & counts.keys(), above).grown()
        for row in concealed:
            hidden[row] |= columns
    return {row: frozenset(measures) for row, measures in hidden.items()}


def _rests(counts: Row) -> dict[str, int]:
    """Give what each subset leaves of its total, under a name of its own."""
    return {
        f"{subset}.rest": max(0, counts.get(total, 0) - counts.get(subset, 0)) for subset, total in SUBSETS_OF.items()
    }


def _blocks(measures: Sequence[str]) -> list[_Block]:
    """Divide the measures into blocks, those that are a total first."""
    parts: dict[str, list[str]] = defaultdict(list)
    for measure in measures:
        parts[measure.removesuffix(".rest") if measure.endswith(".rest") else _breakdown_of(measure)].append(measure)
    blocks = [_Block(columns, PARTS_OF.get(name) or SUBSETS_OF.get(name)) for name, columns in parts.items()]
    return sorted(blocks, key=lambda block: block.total is not None)


def _breakdown_of(measure: str) -> str:
    prefix = measure.rpartition(".")[0]
    return prefix if prefix in PARTS_OF else measure


class _Hiding:
    """Grows what is hidden of one block until it protects itself; `counts` has the rows in which it counts somebody."""

    def __init__(
        self,
        counts: Mapping[UUID, Row],
        block: _Block,
        without_total: Collection[UUID],
        above: Collection[str] | None,
    ) -> None:
        self._counts = counts
        self._sums_to_total = block.total is not None
        self._above = None if above is None else frozenset(above) & frozenset(block.measures)
        small = [(row, measure) for row, cells in counts.items() for measure in cells if is_small(cells[measure])]
        self._rows = {row for row, _ in small} | set(without_total)
        self._columns = {measure for _, measure in small} | (self._above or set())

    def grown(self) -> tuple[set[UUID], set[str]]:
        """Give the rows and the columns that are hidden."""
        while self._grow_columns() or self._grow_rows():
            pass
        return self._rows, self._columns

    def _grow_columns(self) -> bool:
        """Hide one more column where what is hidden of a row is a small group together, or nobody."""
        for row in sorted(self._rows) if self._sums_to_total else ():
            cells = self._counts[row]
            inside = sum(cells[measure] for measure in self._columns)
            others = [(count, measure) for measure, count in cells.items() if count and measure not in self._columns]
            if others and inside < SMALL_GROUP:
                self._columns.add(min(others)[1])
                return True
        return False

    def _grow_rows(self) -> bool:
        """Hide one more row where what is hidden of a column is a small group, or nobody though its sum is hidden."""
        if self._above is None:
            return False
        wanting = {measure for measure in self._columns if self._is_wanting(measure)}
        others = [
            (row != ITSELF, sum(cells[measure] for measure in wanting), row)
            for row, cells in self._counts.items()
            if row not in self._rows and any(cells[measure] for measure in wanting)
        ]
        if others:
            self._rows.add(min(others)[2])
        return bool(others)

    def _is_wanting(self, measure: str) -> bool:
        inside = sum(self._counts[row][measure] for row in self._rows)
        return is_small(inside) or (inside == 0 and self._above is not None and measure in self._above)
