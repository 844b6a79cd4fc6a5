"""What the figures mean to the disclosure control: who stands behind each, and what adds up to what."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from gateway.overview.figures import Counts, Figures, version_near
from suppression import Group, Row, Structure

Marks = Mapping[str, frozenset[int]]
"""The people behind each measure, as marks."""


class Control(NamedTuple):
    """How figures are protected on a day; one that begins later is protected with the others before it is shown."""

    counts: Mapping[str, Counts]
    structure: Structure

    def row_of(self, totals: Mapping[str, int], people: Marks) -> Row:
        """Give the groups behind an organisation's totals; what is about nobody, or in no figure, is none."""
        kinds = {measure: self._kind_of(measure) for measure in totals}
        return {
            measure: Group(count, people.get(measure, frozenset()) if kinds[measure] == "things_of_people" else None)
            for measure, count in totals.items()
            if kinds[measure] in ("people", "things_of_people")
        }

    def _kind_of(self, measure: str) -> Counts | None:
        # A word that is in no figure can be worked out of its breakdown, so it is protected as one of its parts.
        return self.counts.get(measure) or self.counts.get(self.structure.breakdown_of(measure))


def control_on(figures: Figures, day: date) -> Control:
    """Give how the figures are protected on a day."""
    formulas = {measure: version_near(rule, day).parameters for measure, rule in figures.items()}
    counts: dict[str, Counts] = {measure: formula.counts for measure, formula in formulas.items()}
    parts_of, subsets_of = dict[str, str](), dict[str, str]()
    breakdowns = {measure: formula.breakdown for measure, formula in formulas.items() if formula.breakdown}
    structure = Structure(parts_of, subsets_of, breakdowns)
    for measure, formula in formulas.items():
        if formula.part_of:
            breakdown = structure.breakdown_of(measure)
            parts_of[breakdown] = formula.part_of
            counts[breakdown] = formula.counts
        if formula.subset_of:
            subsets_of[measure] = formula.subset_of
    return Control(counts, structure)


def left_to_itself(whole: Mapping[str, int], children: Mapping[UUID, Mapping[str, int]]) -> dict[str, int]:
    """Give what the children leave of an organisation's totals."""
    measures = whole.keys() | {measure for row in children.values() for measure in row}
    return {
        measure: max(0, whole.get(measure, 0) - sum(row.get(measure, 0) for row in children.values()))
        for measure in measures
    }
