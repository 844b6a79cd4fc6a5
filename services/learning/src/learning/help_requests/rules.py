"""Which counts of people who ask for help are hidden, so that no group under five is seen or can be worked out.

The counts form a table for each organisation: its parts (each child with all below it, and those who asked of the
organisation itself) by lesson. What is hidden depends on the counts alone, never on who asks or for which page, so
that two answers cannot be subtracted from each other. A hidden count hides all that it consists of, further down.
An organisation's own staff knows who asked it, and subtracts that first: what it asked itself protects nothing.
See "complementary cell suppression", e.g. in Hundepool et al., Handbook on Statistical Disclosure Control, chapter 4.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias
from uuid import UUID

SMALLEST_SHOWN = 5

Counts: TypeAlias = Mapping[UUID, int]
"""People by lesson; a lesson without any is left out."""

Parts: TypeAlias = Mapping[UUID, Counts]
"""The parts of an organisation by id, its own part under its own id."""

Cell: TypeAlias = tuple[UUID, UUID]


class Level(NamedTuple):
    """An organisation on the way down the tree: its counts, those of its parts, and what stands below it and them.

    What stands below is what an organisation's staff is left with when it subtracts those who asked it itself.
    """

    organisation_id: UUID
    counts: Counts
    parts: Parts
    below: Parts

    @classmethod
    def of(cls, organisation_id: UUID, counts: Counts, children: Parts, grandchildren: Parts) -> "Level":
        """Make the level of an organisation whose own part is what its children do not account for.

        `grandchildren` has, for each child, what the children of that child account for.
        """
        below: Counter[UUID] = Counter()
        for counted in children.values():
            below.update(counted)
        own = {lesson: rest for lesson, count in counts.items() if (rest := count - below[lesson]) > 0}
        return cls(
            organisation_id, counts, {**children, organisation_id: own}, {**grandchildren, organisation_id: below}
        )


def hidden_along(levels: Sequence[Level]) -> frozenset[UUID]:
    """Give the lessons whose count is hidden at the last of `levels`, a path of organisations from the root down."""
    root = levels[0]
    place = root.organisation_id
    alone = hidden_cells({place: root.counts}, below={place: root.below[place]}, own=None, hidden=(), shown=())
    hidden = {lesson for _, lesson in alone}
    for above, under in pairwise(levels):
        hidden = {lesson for part, lesson in hidden_parts(above, hidden) if part == under.organisation_id}
    return frozenset(hidden)


def hidden_parts(level: Level, hidden: Collection[UUID]) -> set[Cell]:
    """Give the hidden cells of a level's table where the totals of the lessons `hidden` are hidden already."""
    return hidden_cells(
        level.parts,
        below=level.below,
        own=level.organisation_id,
        hidden=hidden,
        shown=level.counts.keys() - set(hidden),
    )


def hidden_cells(
    parts: Parts, *, below: Parts, own: UUID | None, hidden: Collection[UUID], shown: Collection[UUID]
) -> set[Cell]:
    """Give the hidden cells of one table, when the totals of the lessons `hidden` are hidden and those `shown` are not.

    Along each lesson whose total is shown, what is hidden sums to five people or more, in two cells or more. The same
    holds along each part, because the number of all who need help there is shown elsewhere, if it is not small itself.
    Where nobody else needs help with a lesson, it is hidden that nobody does: else its total would give the cell away.

    All this holds for the organisation's own staff too, who knows the part `own`: without that part along a lesson, and
    along a part for what stands `below` it. A count is hidden also where what stands below it is small.
    """
    lessons = sorted({lesson for row in parts.values() for lesson in row}.union(hidden))
    cells = sorted(
        (row.get(lesson, 0) == 0, row.get(lesson, 0), part, lesson)
        for part, row in parts.items()
        if any(row.values())
        for lesson in lessons
    )
    by_part: dict[UUID, list[Cell]] = defaultdict(list)
    by_lesson: dict[UUID, list[Cell]] = defaultdict(list)
    for _, _, part, lesson in cells:
        by_part[part].append((part, lesson))
        by_lesson[lesson].append((part, lesson))
    remaining = {part: {} if part == own else below.get(part, {}) for part in parts}
    found = {
        (part, lesson)
        for _, count, part, lesson in cells
        if lesson in hidden or _is_small(count) or _is_small(remaining[part].get(lesson, 0))
    }
    lines = [([cell for cell in by_lesson[lesson] if cell[0] != own], parts) for lesson in sorted(by_lesson)]
    lines += [(by_lesson[lesson], parts) for lesson in sorted(by_lesson)]
    lines = [(line, counts) for line, counts in lines if line and line[0][1] in shown]
    for counts in (remaining, parts):
        lines += [(by_part[part], counts) for part in sorted(by_part) if sum(counts[part].values()) >= SMALLEST_SHOWN]
    before = -1
    while before < len(found):
        before = len(found)
        for line, counts in lines:
            found |= _companions(line, found, counts)
    return found


def _is_small(count: int) -> bool:
    return 0 < count < SMALLEST_SHOWN


def _companions(line: Sequence[Cell], hidden: set[Cell], parts: Parts) -> set[Cell]:
    """Give the cells of a line to hide besides those hidden, the smallest first, until they protect each other."""
    inside = [parts[part].get(lesson, 0) for part, lesson in line if (part, lesson) in hidden]
    chosen: set[Cell] = set()
    for part, lesson in line:
        if not inside or (len(inside) > 1 and sum(inside) >= SMALLEST_SHOWN):
            break
        if (part, lesson) not in hidden:
            chosen.add((part, lesson))
            inside.append(parts[part].get(lesson, 0))
    return chosen
