"""Somebody who has every answer of the overview, and works out what is hidden in them."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import inf
from typing import NamedTuple

from gateway.overview.rules import PARTS_OF, SUBSETS_OF

Cell = tuple[str, str]
Equation = dict[Cell, int]
"""Cells with their factors, which together come to nothing."""


class Place(NamedTuple):
    """An organisation: what was counted for itself, and its children."""

    name: str
    itself: Mapping[str, int]
    children: tuple["Place", ...] = ()

    def total(self, measure: str) -> int:
        return self.itself.get(measure, 0) + sum(child.total(measure) for child in self.children)

    def everywhere(self) -> Iterator["Place"]:
        yield self
        for child in self.children:
            yield from child.everywhere()


def truth_of(root: Place, measures: Iterable[str]) -> dict[Cell, int]:
    """Give every figure there is, those that no answer has among them: an organisation's own, and a subset's rest."""
    truth: dict[Cell, int] = {}
    for place in root.everywhere():
        for measure in measures:
            truth[place.name, measure] = place.total(measure)
            truth[f"{place.name} itself", measure] = place.itself.get(measure, 0)
    for (where, measure), count in list(truth.items()):
        if measure in SUBSETS_OF:
            truth[where, f"rest of {measure}"] = truth[where, SUBSETS_OF[measure]] - count
    return truth


def equations_of(root: Place, measures: Iterable[str]) -> Iterator[Equation]:
    """Give what everybody knows: what adds up to what."""
    known = list(measures)
    for place in root.everywhere():
        parts = [child.name for child in place.children] + [f"{place.name} itself"]
        for measure in known:
            yield {(place.name, measure): -1, **{(part, measure): 1 for part in parts}}
        for where in (place.name, f"{place.name} itself"):
            for prefix, total in PARTS_OF.items():
                columns = [measure for measure in known if measure.startswith(f"{prefix}.")]
                if columns and total in known:
                    yield {(where, total): -1, **{(where, column): 1 for column in columns}}
            for subset, total in SUBSETS_OF.items():
                if subset in known and total in known:
                    yield {(where, total): -1, (where, subset): 1, (where, f"rest of {subset}"): 1}


def worked_out(equations: Iterable[Equation], shown: Mapping[Cell, int]) -> dict[Cell, int]:
    """Give every cell that is not shown and can have one value alone, by adding, subtracting, and that none is < 0."""
    known = dict(shown)
    system = [dict(equation) for equation in equations]
    while found := {**_solved(system, known), **_squeezed(system, known)}:
        known |= found
    return {cell: count for cell, count in known.items() if cell not in shown}


def _open(equation: Equation, known: Mapping[Cell, int]) -> tuple[Equation, int]:
    """Split an equation into the cells that are not known, and what these come to."""
    unknown = {cell: factor for cell, factor in equation.items() if cell not in known}
    return unknown, -sum(factor * known[cell] for cell, factor in equation.items() if cell in known)


def _solved(system: list[Equation], known: Mapping[Cell, int]) -> dict[Cell, int]:
    """Eliminate: a cell that stands alone in a combination of the equations is worked out."""
    pivots: dict[Cell, tuple[dict[Cell, Fraction], Fraction]] = {}
    for equation in system:
        unknown, sum_of = _open(equation, known)
        left, right = {cell: Fraction(factor) for cell, factor in unknown.items()}, Fraction(sum_of)
        for pivot in [cell for cell in left if cell in pivots]:
            left, right = _less(left, right, pivots[pivot], left.get(pivot, Fraction()))
        if not left:
            continue
        pivot, factor = next(iter(left.items()))
        row = {cell: value / factor for cell, value in left.items()}, right / factor
        for other, (cells, value) in pivots.items():
            if pivot in cells:
                pivots[other] = _less(cells, value, row, cells[pivot])
        pivots[pivot] = row
    return {pivot: int(value) for pivot, (cells, value) in pivots.items() if len(cells) == 1}


def _less(
    left: dict[Cell, Fraction], right: Fraction, row: tuple[dict[Cell, Fraction], Fraction], times: Fraction
) -> tuple[dict[Cell, Fraction], Fraction]:
    cells = {cell: left.get(cell, Fraction()) - times * row[0].get(cell, Fraction()) for cell in {*left, *row[0]}}
    return {cell: value for cell, value in cells.items() if value}, right - times * row[1]


def _squeezed(system: list[Equation], known: Mapping[Cell, int]) -> dict[Cell, int]:
    """Narrow the range of each cell by what the others can be: nobody is counted less than not at all."""
    parts = [_open(equation, known) for equation in system]
    low = {cell: 0.0 for unknown, _ in parts for cell in unknown}
    high = dict.fromkeys(low, inf)
    narrowed = True
    while narrowed:
        narrowed = False
        for unknown, right in parts:
            for cell, factor in unknown.items():
                # factor * cell = right - the others, each between its own bounds
                others = [(f, c) for c, f in unknown.items() if c != cell]
                least = right - sum(f * (high[c] if f > 0 else low[c]) for f, c in others)
                most = right - sum(f * (low[c] if f > 0 else high[c]) for f, c in others)
                bounds = sorted((least / factor, most / factor))
                if bounds[0] > low[cell] or bounds[1] < high[cell]:
                    low[cell], high[cell] = max(low[cell], bounds[0]), min(high[cell], bounds[1])
                    narrowed = True
    return {cell: int(low[cell]) for cell in low if low[cell] == high[cell]}
