"""Who helps in an organisation knows who asked it, and still works out no hidden group of one to four."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from learning.help_requests.rules import Level, hidden_along
from suppression import SMALLEST_SHOWN, Group

LESSONS = [UUID(int=number) for number in range(101, 104)]
Cell = tuple[str, UUID]
Counts = Mapping[UUID, int]


class Place(NamedTuple):
    """An organisation: those who asked itself, and its children."""

    organisation_id: UUID
    own: Counts
    children: tuple["Place", ...] = ()

    @property
    def counts(self) -> Counter[UUID]:
        return sum((child.counts for child in self.children), Counter(self.own))

    @property
    def level(self) -> Level:
        below = {
            child.organisation_id: grouped(sum((c.counts for c in child.children), Counter()))
            for child in self.children
        }
        children = {child.organisation_id: grouped(child.counts) for child in self.children}
        return Level.of(self.organisation_id, grouped(self.counts), grouped(self.own), children, below)

    def paths(self, above: tuple["Place", ...] = ()) -> Iterator[tuple["Place", ...]]:
        yield (*above, self)
        for child in self.children:
            yield from child.paths((*above, self))


def grouped(counts: Counts) -> dict[UUID, Group]:
    return {lesson: Group(count) for lesson, count in counts.items()}


def place(number: int, own: Counts, *children: Place) -> Place:
    return Place(UUID(int=number), own, children)


counts = st.dictionaries(st.sampled_from(LESSONS), st.integers(1, 12), max_size=3)


@st.composite
def trees(draw: st.DrawFn) -> Place:
    """Make three levels, each with learners of its own."""
    children = []
    for child in range(draw(st.integers(1, 4))):
        leaves = [place(1000 + 10 * child + leaf, draw(counts)) for leaf in range(draw(st.integers(0, 3)))]
        children.append(place(10 + child, draw(counts), *leaves))
    return place(1, draw(counts), *children)


def shown(path: tuple[Place, ...]) -> dict[Cell, int]:
    """Give the figures of the last organisation of a path that are shown."""
    hidden = hidden_along([each.level for each in path])
    total = path[-1].counts
    return {(str(path[-1].organisation_id), lesson): total[lesson] for lesson in LESSONS if lesson not in hidden}


def shown_to_each_staff(root: Place) -> dict[UUID, dict[Cell, int]]:
    """Give the figures that the staff of each reads: those of its subtree, and who asked it itself."""
    known = {
        path[-1].organisation_id: {
            (f"{path[-1].organisation_id} itself", lesson): path[-1].own.get(lesson, 0) for lesson in LESSONS
        }
        for path in root.paths()
    }
    for path in root.paths():
        figures = shown(path)
        for staffed in path:
            known[staffed.organisation_id] |= figures
    return known


def worked_out(root: Place, known: Mapping[Cell, int]) -> dict[Cell, int]:
    """Subtract, wherever one part alone of a sum is unknown, until nothing more is found."""
    found = dict(known)
    before = -1
    while before < len(found):
        before = len(found)
        for path in root.paths():
            here = path[-1]
            parts = [str(child.organisation_id) for child in here.children] + [f"{here.organisation_id} itself"]
            for lesson in LESSONS:
                cells = [(part, lesson) for part in parts]
                whole = (str(here.organisation_id), lesson)
                unknown = [cell for cell in (whole, *cells) if cell not in found]
                if unknown == [whole]:
                    found[whole] = sum(found[cell] for cell in cells)
                elif len(unknown) == 1:
                    found[unknown[0]] = found[whole] - sum(found[cell] for cell in cells if cell in found)
    return {cell: count for cell, count in found.items() if cell not in known}


@given(trees())
@settings(max_examples=150)
def test_no_small_group_is_left_when_the_own_staff_subtracts_all_it_knows(root: Place) -> None:
    known = shown_to_each_staff(root)
    for path in root.paths():
        staffed = path[-1]
        found = worked_out(root, known[staffed.organisation_id])
        for lesson in LESSONS:
            total = (str(staffed.organisation_id), lesson)
            if total in found:  # of their own total they know that part by name
                found[total] -= staffed.own.get(lesson, 0)
        assert {cell: count for cell, count in found.items() if 0 < count < SMALLEST_SHOWN} == {}


def test_those_who_asked_the_organisation_itself_hide_nobody() -> None:
    lesson = LESSONS[0]
    branches = [place(10 + number, {lesson: count}) for number, count in enumerate((3, 10, 10))]
    county = place(1, {lesson: 4}, *branches)
    known = shown_to_each_staff(county)[county.organisation_id]
    assert known[str(county.organisation_id), lesson] == 27
    # 27 people, less the 4 who asked the county, less the 10 of one branch, are 13 in two branches.
    assert [known.get((str(branch.organisation_id), lesson)) for branch in branches] == [None, None, 10]


def test_a_total_is_hidden_that_leaves_few_when_the_own_are_subtracted() -> None:
    lesson = LESSONS[0]
    county = place(1, {lesson: 10}, place(10, {lesson: 3}))
    assert (str(county.organisation_id), lesson) not in shown_to_each_staff(county)[county.organisation_id]
