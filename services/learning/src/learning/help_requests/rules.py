"""Which counts of people who ask for help are hidden, so that no group under five is seen or can be worked out.

The counts form a table for each organisation: its parts (each child with all below it, and those who asked of the
organisation itself) by lesson. What is hidden depends on the counts alone, never on who asks or for which page, so
that two answers cannot be subtracted from each other. A hidden count hides all that it consists of, further down.
An organisation's own staff knows who asked it, and subtracts that first: what it asked itself protects nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias
from uuid import UUID

from suppression import NOBODY, SMALLEST_SHOWN, Cell, Cells, Column, Group, Line, is_small, people_in, protect, together

Counts: TypeAlias = Mapping[UUID, Group]
"""Requests and who makes them, by lesson; a lesson without any is left out."""

ByOrganisation: TypeAlias = Mapping[UUID, Counts]
"""The parts of an organisation by id, its own part under its own id."""


class Level(NamedTuple):
    """An organisation on the way down the tree: its counts, those of its parts, and what stands below it and them.

    What stands below is what an organisation's staff is left with when it subtracts those who asked it itself.
    """

    organisation_id: UUID
    counts: Counts
    parts: ByOrganisation
    below: ByOrganisation

    @classmethod
    def of(
        cls, organisation_id: UUID, counts: Counts, own: Counts, children: ByOrganisation, grandchildren: ByOrganisation
    ) -> "Level":
        """Make the level of an organisation, `own` being those who asked it itself.

        `grandchildren` has, for each child, what the children of that child account for.
        """
        below = {organisation_id: summed(children.values())}
        return cls(organisation_id, counts, {**children, organisation_id: own}, {**grandchildren, **below})


def summed(counted: Collection[Counts]) -> Counts:
    """Add counts up by lesson."""
    lessons = {lesson for counts in counted for lesson in counts}
    return {lesson: together(counts[lesson] for counts in counted if lesson in counts) for lesson in lessons}


def hidden_along(levels: Sequence[Level]) -> frozenset[UUID]:
    """Give the lessons whose count is hidden at the last of `levels`, a path of organisations from the root down."""
    root = levels[0]
    place = root.organisation_id
    alone = hidden_cells({place: root.counts}, below={place: root.below[place]}, own=None, hidden=(), shown=())
    hidden = {lesson for _, lesson in alone}
    for above, under in pairwise(levels):
        hidden = {lesson for part, lesson in hidden_parts(above, hidden) if part == under.organisation_id}
    return frozenset(hidden)


def hidden_parts(level: Level, hidden: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Give the hidden cells of a level's table where the totals of the lessons `hidden` are hidden already."""
    return hidden_cells(
        level.parts,
        below=level.below,
        own=level.organisation_id,
        hidden=hidden,
        shown=level.counts.keys() - set(hidden),
    )


def hidden_cells(
    parts: ByOrganisation, *, below: ByOrganisation, own: UUID | None, hidden: Collection[UUID], shown: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """Give the hidden cells of one table, when the totals of the lessons `hidden` are hidden and those `shown` are not.

    Along each lesson whose total is shown, what is hidden is of five people or more, in two cells or more. The same
    holds along each part, where one person may need help with many lessons, because the number of all requests there is
    shown elsewhere, if it is not of few people itself.
    Where nobody else needs help with a lesson, it is hidden that nobody does: else its total would give the cell away.

    All this holds for the organisation's own staff too, who knows the part `own`: without that part along a lesson, and
    along a part for what stands `below` it. A count is hidden also where what stands below it is small.
    """
    lessons = sorted({lesson for row in parts.values() for lesson in row}.union(hidden))
    counting = sorted(part for part, row in parts.items() if any(group.value for group in row.values()))
    remaining: ByOrganisation = {part: {} if part == own else below.get(part, {}) for part in counting}
    counts: dict[Cell, Group] = {}
    left: dict[Cell, Group] = {}
    for part in counting:
        for lesson in lessons:
            counts[part, lesson] = parts[part].get(lesson, NOBODY)
            left[part, lesson] = remaining[part].get(lesson, NOBODY)
    cells = sorted(counts, key=lambda cell: (counts[cell].value == 0, counts[cell].value, cell))
    by_part: dict[UUID, list[Cell]] = defaultdict(list)
    by_lesson: dict[Column, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_part[cell[0]].append(cell)
        by_lesson[cell[1]].append(cell)
    lines = []
    for lesson in sorted(shown):
        of_others = [cell for cell in by_lesson[lesson] if cell[0] != own]
        lines += [Line(line, counts, line, fewest=2) for line in (of_others, by_lesson[lesson]) if line]
    for groups, rows in ((left, remaining), (counts, parts)):
        told = [part for part in counting if people_in(rows[part].values()) >= SMALLEST_SHOWN]
        lines += [Line(by_part[part], groups, by_part[part], fewest=2, row=part) for part in told]
    found = Cells(cell for cell in cells if cell[1] in hidden or is_small(counts[cell]) or is_small(left[cell]))
    protect(found, lines)
    return {(part, lesson) for part in counting for lesson in lessons if (part, lesson) in found}
