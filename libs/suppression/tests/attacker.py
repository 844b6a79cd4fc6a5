"""Somebody who has every answer, adds contributions of their own, and works out what is hidden."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import gcd, inf
from types import MappingProxyType
from typing import NamedTuple

from suppression import Group, Structure

Cell = tuple[str, str]
Equation = dict[Cell, int]
"""Cells with their factors, which together come to nothing."""

Things = Mapping[str, Mapping[int | None, int]]
"""By measure how many things each person has; nobody's stand under None."""

ATTACKER = 0
"""The mark of the attacker."""


class Place(NamedTuple):
    """An organisation: the people counted for itself, the things of people, and its children."""

    name: str
    heads: Mapping[str, int]
    children: tuple["Place", ...] = ()
    things: Things = MappingProxyType({})

    def everywhere(self) -> Iterator["Place"]:
        yield self
        for child in self.children:
            yield from child.everywhere()

    def itself(self, measure: str) -> Group:
        """Give who counts for the organisation itself."""
        if measure not in self.things:
            return Group(self.heads.get(measure, 0))
        people = self.things[measure]
        return Group(sum(people.values()), frozenset(each for each in people if each is not None))

    def total(self, measure: str) -> Group:
        """Give who counts for the organisation and all below it, each person once."""
        groups = [place.itself(measure) for place in self.everywhere()]
        marks = [group.people for group in groups if group.people is not None]
        count = sum(group.value for group in groups)
        return Group(count, frozenset().union(*marks) if marks else None)

    def of_the_attacker(self, measure: str) -> int:
        """Give how many things of the attacker's are among those of the organisation itself."""
        return self.things.get(measure, {}).get(ATTACKER, 0)


def truth_of(root: Place, measures: Iterable[str], structure: Structure) -> dict[Cell, Group]:
    """Give every figure there is, those that no answer has among them: an organisation's own, and a subset's rest."""
    truth: dict[Cell, Group] = {}
    for place in root.everywhere():
        for measure in measures:
            truth[place.name, measure] = place.total(measure)
            truth[f"{place.name} itself", measure] = place.itself(measure)
    for (where, measure), group in list(truth.items()):
        if measure in structure.subsets_of:
            rest = truth[where, structure.subsets_of[measure]].value - group.value
            truth[where, f"rest of {measure}"] = Group(rest)
    return truth


def known_to_the_attacker(root: Place, measures: Iterable[str]) -> dict[Cell, int]:
    """Give how much each figure is at least: what the attacker has added to it."""
    known: Counter[Cell] = Counter()
    for measure in measures:
        for place in root.everywhere():
            known[place.name, measure] = sum(below.of_the_attacker(measure) for below in place.everywhere())
            known[f"{place.name} itself", measure] = place.of_the_attacker(measure)
    return {cell: count for cell, count in known.items() if count}


def equations_of(root: Place, measures: Iterable[str], structure: Structure) -> Iterator[Equation]:
    """Give what everybody knows: what adds up to what."""
    known = list(measures)
    for place in root.everywhere():
        parts = [child.name for child in place.children] + [f"{place.name} itself"]
        for measure in known:
            yield {(place.name, measure): -1, **{(part, measure): 1 for part in parts}}
        for where in (place.name, f"{place.name} itself"):
            for prefix, total in structure.parts_of.items():
                columns = [measure for measure in known if structure.breakdown_of(measure) == prefix]
                if columns and total in known:
                    yield {(where, total): -1, **{(where, column): 1 for column in columns}}
            for subset, total in structure.subsets_of.items():
                if subset in known and total in known:
                    yield {(where, total): -1, (where, subset): 1, (where, f"rest of {subset}"): 1}


def worked_out(
    equations: Iterable[Equation], shown: Mapping[Cell, int], at_least: Mapping[Cell, int]
) -> dict[Cell, int]:
    """Give every cell that is not shown and can have one value alone, by adding, subtracting, and what it is at least.

    None is less than nothing.
    """
    known = dict(shown)
    system = [dict(equation) for equation in equations]
    while found := {**_solved(system, known), **_squeezed(system, known, at_least)}:
        known |= found
    return {cell: count for cell, count in known.items() if cell not in shown}


def _open(equation: Equation, known: Mapping[Cell, int]) -> tuple[Equation, int]:
    """Split an equation into the cells that are not known, and what these come to."""
    unknown = {cell: factor for cell, factor in equation.items() if cell not in known}
    return unknown, -sum(factor * known[cell] for cell, factor in equation.items() if cell in known)


def _solved(system: list[Equation], known: Mapping[Cell, int]) -> dict[Cell, int]:
    """Eliminate: a cell that stands alone in a combination of the equations is worked out."""
    pivots: dict[Cell, tuple[Equation, int]] = {}
    for equation in system:
        left, right = _open(equation, known)
        for pivot in [cell for cell in left if cell in pivots]:
            left, right = _less(left, right, *pivots[pivot], pivot)
        if not left:
            continue
        pivot = next(iter(left))
        for other, (cells, value) in pivots.items():
            if pivot in cells:
                pivots[other] = _less(cells, value, left, right, pivot)
        pivots[pivot] = left, right
    return {pivot: value // cells[pivot] for pivot, (cells, value) in pivots.items() if len(cells) == 1}


def _less(left: Equation, right: int, cells: Equation, value: int, pivot: Cell) -> tuple[Equation, int]:
    """Take the second equation from the first as often as leaves nothing of the pivot; whole numbers stay whole."""
    keep, take = cells[pivot], left[pivot]
    made = {cell: keep * factor for cell, factor in left.items()}
    for cell, factor in cells.items():
        made[cell] = made.get(cell, 0) - take * factor
    right = keep * right - take * value
    shared = gcd(right, *made.values()) or 1
    return {cell: factor // shared for cell, factor in made.items() if factor}, right // shared


def _squeezed(system: list[Equation], known: Mapping[Cell, int], at_least: Mapping[Cell, int]) -> dict[Cell, int]:
    """Narrow the range of each cell by what the others can be."""
    parts = [_open(equation, known) for equation in system]
    low = {cell: float(at_least.get(cell, 0)) for unknown, _ in parts for cell in unknown}
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
