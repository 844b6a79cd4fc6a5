"""Which figures of a tree of organisations are hidden, from the root down.

Each organisation's table has a row for each of its parts: its children, and what was counted for the organisation
itself, which is never shown but is what the children leave of the whole. It has a column for each measure. Measures
that sum to another form a block, and of each block the same columns are hidden in the same rows. What is hidden of a
whole stays hidden among its parts.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from suppression.groups import NOBODY, Group, is_small
from suppression.hiding import Cell, Line, Rectangle, protect

ITSELF = UUID(int=0)
"""The row of what was counted for the organisation itself."""

Row = Mapping[str, Group]
"""Groups by measure; one that is missing counts nobody."""

_REST = ".rest"


class Structure(NamedTuple):
    """What adds up to what.

    `parts_of` has a breakdown, by the beginning of its parts' names, and the total that its parts sum to; `breakdowns`
    has the breakdown of parts that are not named by it. `subsets_of` has a measure that counts people, and another
    whose subset it is: the rest, too, is a group of people.
    """

    parts_of: Mapping[str, str]
    subsets_of: Mapping[str, str]
    breakdowns: Mapping[str, str]

    def breakdown_of(self, measure: str) -> str:
        """Name the breakdown that a measure belongs to, if there is one of this name."""
        return self.breakdowns.get(measure) or measure.rpartition(".")[0]


class _Block(NamedTuple):
    """Columns that are hidden together, and the total they sum to where there is one."""

    measures: Sequence[str]
    total: str | None


def hidden_of_root(whole: Row, structure: Structure) -> frozenset[str]:
    """Give the hidden measures of the root: there is nothing above that its figures could be subtracted from."""
    return _hidden({ITSELF: whole}, None, structure)[ITSELF]


def hidden_in(
    children: Mapping[UUID, Row], itself: Row, hidden_of_whole: Collection[str], structure: Structure
) -> dict[UUID, frozenset[str]]:
    """Give the hidden measures of each child of an organisation whose own hidden measures are `hidden_of_whole`.

    `itself` is what was counted for the organisation itself.
    """
    hidden = _hidden({**children, ITSELF: itself}, hidden_of_whole, structure)
    return {child: hidden[child] for child in children}


def _hidden(
    rows: Mapping[UUID, Row], above: Collection[str] | None, structure: Structure
) -> dict[UUID, frozenset[str]]:
    """Give the hidden measures of each row; those `above` are hidden of their sum, which is not shown if it is None."""
    table = {row: {**groups, **_rests(groups, structure)} for row, groups in rows.items()}
    hidden: dict[UUID, set[str]] = {row: set() for row in rows}
    for block in _blocks(sorted({measure for row in table.values() for measure in row}), structure):
        counting = [row for row in rows if any(table[row].get(measure, NOBODY).value for measure in block.measures)]
        groups: dict[Cell, Group] = {
            (row, measure): table[row].get(measure, NOBODY) for row in counting for measure in block.measures
        }
        concealed = _concealed(groups, block, {row for row in counting if block.total in hidden[row]}, above)
        for row in concealed.rows:
            hidden[row] |= {str(measure) for measure in concealed.columns}
    return {row: frozenset(measures) for row, measures in hidden.items()}


def _concealed(
    groups: Mapping[Cell, Group], block: _Block, without_total: Collection[UUID], above: Collection[str] | None
) -> Rectangle:
    """Give what is hidden of a block; `groups` has the rows in which it counts somebody."""
    hidden_above = frozenset(above or ()) & frozenset(block.measures)
    small = [cell for cell, group in groups.items() if is_small(group)]
    hidden = Rectangle({row for row, _ in small} | set(without_total), {column for _, column in small} | hidden_above)
    counting = [cell for cell, group in groups.items() if group.value]
    rows = sorted({row for row, _ in groups})
    lines = []
    if block.total is not None:
        for row in rows:
            companions = sorted((groups[cell].value, cell) for cell in counting if cell[0] == row)
            cells: list[Cell] = [(row, measure) for measure in block.measures]
            lines.append(Line(cells, groups, [cell for *_, cell in companions], row=row))
    for measure in block.measures if rows and above is not None else ():
        preferred = sorted((cell[0] != ITSELF, groups[cell].value, cell) for cell in counting if cell[1] == measure)
        cells = [(row, measure) for row in rows]
        lines.append(Line(cells, groups, [cell for *_, cell in preferred], or_nobody=measure not in hidden_above))
    protect(hidden, lines)
    return hidden


def _rests(groups: Row, structure: Structure) -> dict[str, Group]:
    """Give what each subset leaves of its total, under a name of its own."""
    counts = {measure: group.value for measure, group in groups.items()}
    return {
        f"{subset}{_REST}": Group(max(0, counts.get(total, 0) - counts.get(subset, 0)))
        for subset, total in structure.subsets_of.items()
    }


def _blocks(measures: Sequence[str], structure: Structure) -> list[_Block]:
    """Divide the measures into blocks, those that are a total first."""
    parts: dict[str, list[str]] = defaultdict(list)
    for measure in measures:
        name = measure.rpartition(".")[0] if measure.endswith(_REST) else structure.breakdown_of(measure)
        parts[name if measure.endswith(_REST) or name in structure.parts_of else measure].append(measure)
    blocks = [
        _Block(columns, structure.parts_of.get(name) or structure.subsets_of.get(name))
        for name, columns in parts.items()
    ]
    return sorted(blocks, key=lambda block: block.total is not None)
