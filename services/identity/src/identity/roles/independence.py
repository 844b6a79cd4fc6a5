"""Whether two people decide by offices of their own: of different hands, and not of one hand that made both."""

from collections.abc import Collection
from datetime import datetime
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

import orgtree
from china_time import day_of
from identity.roles.tables import RoleAssignment, RoleDefinition


class NotIndependent(Exception):
    """Somebody's office comes of another of those who decide, of who made theirs, or of the person it is about."""


class Office(NamedTuple):
    """An office by which somebody decides: whose it is, or whose it was before it was delegated, and who gave it.

    Nobody gave what began with the system; `approved_by` is the second person, where it took two.
    """

    holder: UUID
    given_by: UUID | None
    approved_by: UUID | None

    @property
    def behind(self) -> frozenset[UUID]:
        """Those without whom it would not be: its holder, and whoever gave it by their word alone."""
        alone = self.given_by if self.approved_by is None else None
        return frozenset({self.holder} if alone is None else {self.holder, alone})

    @property
    def makers(self) -> frozenset[UUID]:
        """Its holder and all who had a part in giving it."""
        return frozenset(each for each in self if each is not None)


async def offices_of(
    session: AsyncSession, person_id: UUID, *, over: UUID, permission: str, at: datetime
) -> list[Office]:
    """Give the offices with a permission over an organisation that a person had at a moment.

    What was ended since counts as it did then.
    """
    mine, first = aliased(RoleAssignment), aliased(RoleAssignment)
    day = day_of(at)
    found = (
        select(first.person_id, first.granted_by, first.decided_by)
        .select_from(mine)
        .join(RoleDefinition, RoleDefinition.role == mine.role)
        .join(first, first.assignment_id == func.coalesce(mine.delegated_from, mine.assignment_id))
        .where(RoleDefinition.permissions.contains([permission]))
        .where(mine.person_id == person_id, mine.organisation_id.in_(await orgtree.ancestors_of(session, over)))
        .where(mine.status.in_(("granted", "ended")), func.coalesce(mine.decided_at, mine.granted_at) <= at)
        .where(or_(mine.ended_at.is_(None), mine.ended_at > at))
        .where(mine.valid_from <= day, or_(mine.valid_until.is_(None), mine.valid_until >= day))
    )
    return [Office(*row) for row in await session.execute(found)]


def require_independent(*each: Collection[Office], subject_id: UUID | None = None) -> None:
    """Raise `NotIndependent` unless each has an office behind which nobody stands who is behind another's.

    Nor may the person it is about stand behind one of them.
    """
    for chosen in product(*each):
        people = [person_id for office in chosen for person_id in office.behind]
        if subject_id not in people and len(set(people)) == len(people):
            return
    raise NotIndependent
