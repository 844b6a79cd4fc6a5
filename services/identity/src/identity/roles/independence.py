"""Whether two people decide by offices of their own: who was delegated a role speaks for whoever delegated it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

import orgtree
from china_time import day_of
from identity.roles.tables import RoleAssignment, RoleDefinition


class NotIndependent(Exception):
    """Somebody's office was delegated by another of those who decide, or by the person it is about."""


async def behind(session: AsyncSession, person_id: UUID, *, over: UUID, at: datetime) -> frozenset[UUID]:
    """Give those whose offices over an organisation a person used at a moment: whoever was granted them.

    That is the person alone when they hold one of their own, or none; else all who delegated one to them. What was
    ended since counts as it did then.
    """
    return await _behind(session, person_id, over, at, true())


async def behind_permission(
    session: AsyncSession, person_id: UUID, *, over: UUID, permission: str, at: datetime
) -> frozenset[UUID]:
    """Give the same of those offices alone that give the permission."""
    return await _behind(session, person_id, over, at, RoleDefinition.permissions.contains([permission]))


async def _behind(
    session: AsyncSession, person_id: UUID, over: UUID, at: datetime, wanted: ColumnElement[bool]
) -> frozenset[UUID]:
    mine, source = aliased(RoleAssignment), aliased(RoleAssignment)
    day = day_of(at)
    found = (
        select(func.coalesce(source.person_id, mine.person_id))
        .select_from(mine)
        .join(RoleDefinition, RoleDefinition.role == mine.role)
        .outerjoin(source, source.assignment_id == mine.delegated_from)
        .where(wanted, mine.person_id == person_id, mine.organisation_id.in_(await orgtree.ancestors_of(session, over)))
        .where(mine.status.in_(("granted", "ended")), func.coalesce(mine.decided_at, mine.granted_at) <= at)
        .where(or_(mine.ended_at.is_(None), mine.ended_at > at))
        .where(mine.valid_from <= day, or_(mine.valid_until.is_(None), mine.valid_until >= day))
    )
    people = frozenset((await session.scalars(found)).all())
    return people if people and person_id not in people else frozenset({person_id})


def require_independent(one: frozenset[UUID], other: frozenset[UUID], *, subject_id: UUID) -> None:
    """Raise `NotIndependent` unless different people, and not the one it is about, stand behind the two."""
    first, second = one - {subject_id}, other - {subject_id}
    if not first or not second or len(first | second) < 2:
        raise NotIndependent
