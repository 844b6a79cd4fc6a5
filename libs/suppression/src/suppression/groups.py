"""What one cell counts, and how many people stand behind it and others together."""

from collections.abc import Iterable
from typing import NamedTuple

SMALLEST_SHOWN = 5
"""A group of 1 to 4 people is never shown."""


class Group(NamedTuple):
    """The value of a cell, and who stands behind it.

    `people` has the marks of those that a count of things is about: all of them, or so many that they are enough.
    Without it the value is a number of people itself, and those of two cells are different people.
    """

    value: int
    people: frozenset[int] | None = None


NOBODY = Group(0)


def people_in(groups: Iterable[Group]) -> int:
    """Say how many people stand behind these groups together, at least: who is in two of them counts once."""
    marks: set[int] = set()
    heads = 0
    for value, people in groups:
        if people is None:
            heads += value
        else:
            marks |= people
    return heads + len(marks)


def together(groups: Iterable[Group]) -> Group:
    """Give what groups of one kind come to, who is in two of them once."""
    value, people = 0, None
    for group in groups:
        value += group.value
        people = group.people if people is None else people | (group.people or frozenset())
    return Group(value, people)


def is_small(group: Group) -> bool:
    """Say whether a group must be hidden for itself; things that are about no known person must be, too."""
    return group.value > 0 and people_in((group,)) < SMALLEST_SHOWN
