"""Which responsibility holds for a place on a day, as pure functions."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID


class CategoryWithoutOwner(Exception):
    """A category has no responsible organisation for the whole tree on that day, so a case of it could go nowhere."""


class Assignment(NamedTuple):
    """Who answers a category's cases from a place and all below it, from a day on, within how many working days."""

    responsibility_id: UUID
    organisation_id: UUID
    responsible_id: UUID
    working_days: int
    valid_from: date


def nearest(ancestors: Sequence[UUID], assignments: Collection[Assignment], day: date) -> Assignment:
    """Choose the assignment for the place that ends the path `ancestors` (root first), as of `day`.

    The nearest place up the path with an assignment valid on the day wins; there, the latest. Raises
    `CategoryWithoutOwner` when there is none.
    """
    depth = {organisation: position for position, organisation in enumerate(ancestors)}
    valid = [a for a in assignments if a.valid_from <= day and a.organisation_id in depth]
    if not valid:
        raise CategoryWithoutOwner
    return max(valid, key=lambda assignment: (depth[assignment.organisation_id], assignment.valid_from))


def check_owner(root: UUID, organisation_id: UUID, valid_from: date, owned_from: date | None) -> None:
    """Raise `CategoryWithoutOwner` unless the category has an owner for the `root` from `valid_from` on.

    `owned_from` is the first day on which it has one already, or nothing.
    """
    if organisation_id == root or (owned_from is not None and owned_from <= valid_from):
        return
    raise CategoryWithoutOwner
