"""Complementary suppression: hides more cells of a table until what is hidden protects itself along every known sum.

See "complementary cell suppression", e.g. in the Handbook on Statistical Disclosure Control, Hundepool et al.,
chapter 4.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from suppression.groups import NOBODY, SMALLEST_SHOWN, Group, people_in

Column = Hashable
Cell = tuple[UUID, Column]


class Line(NamedTuple):
    """Cells of a table whose sum somebody knows.

    `groups` has what each of them counts for who knows it: the counts shown, or what is left of them when somebody
    subtracts what they know. `companions` are hidden with what is hidden already, in this order, until that is of five
    people and in `fewest` cells. `or_nobody`: what is hidden may also be known to come to nothing. `row` is the row it
    goes along; without, it goes along a column.
    """

    cells: Sequence[Cell]
    groups: Mapping[Cell, Group]
    companions: Sequence[Cell]
    fewest: int = 0
    or_nobody: bool = False
    row: UUID | None = None

    def is_wanting(self, inside: Sequence[Group]) -> bool:
        """Say whether these groups, which are hidden of the line, are too few to protect each other."""
        if len(inside) < self.fewest:
            return True
        if self.or_nobody and not any(group.value for group in inside):
            return False
        return people_in(inside) < SMALLEST_SHOWN


class Cells(set[Cell]):
    """Cells that are hidden one by one."""

    def touches(self, line: Line) -> bool:
        """Say whether a cell of the line is hidden."""
        return not self.isdisjoint(line.cells)


class Rectangle:
    """Some rows and some columns: each of these columns is hidden in each of these rows.

    With two of each, a count can be raised where its neighbours are lowered without changing anything that is shown,
    so that no subtraction, and no combination of them, gives one away.
    """

    def __init__(self, rows: Iterable[UUID], columns: Iterable[Column]) -> None:
        self.rows, self.columns = set(rows), set(columns)

    def __contains__(self, cell: Cell) -> bool:
        return cell[0] in self.rows and cell[1] in self.columns

    def add(self, cell: Cell) -> None:
        """Hide a cell's column in all rows that are hidden, and its row in all columns."""
        self.rows.add(cell[0])
        self.columns.add(cell[1])

    def touches(self, line: Line) -> bool:
        """Say whether the line goes along one of the rows or columns, if only along one that is not crossed yet."""
        return line.cells[0][1] in self.columns if line.row is None else line.row in self.rows


def protect(hidden: Cells | Rectangle, lines: Sequence[Line]) -> None:
    """Hide more until no line is wanting, or has nothing left to hide.

    What is hidden depends on the table alone, never on who asks or for which part of it, so that two answers cannot be
    subtracted from each other.
    """
    growing = True
    while growing:
        growing = False
        for line in lines:
            if not hidden.touches(line):
                continue
            inside = [line.groups.get(cell, NOBODY) for cell in line.cells if cell in hidden]
            for cell in line.companions:
                if not line.is_wanting(inside):
                    break
                if cell not in hidden:
                    hidden.add(cell)
                    inside.append(line.groups.get(cell, NOBODY))
                    growing = True
