"""A second person's word on roles that take two: what is proposed holds when they approve, never when they refuse."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from china_time import day_of
from identity.accounts.authorization import lock_account
from identity.roles.assignments import (
    locked_within,
    record,
    require_combinable,
    require_room,
    take_administration,
    tell_granted,
)
from identity.roles.rules import AlreadyDecided, SecondPersonNeeded
from identity.roles.tables import RoleAssignment
from webapi.versions import Expected


async def approve_role(
    session: AsyncSession, *, assignment_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> RoleAssignment:
    """Let a proposed assignment hold from now on; approving it again changes nothing.

    Raises `AssignmentUnknown`, `SecondPersonNeeded`, `AlreadyDecided`, `AdministrationsCombined` and `TooManyRoles`.
    """
    assignment = await _awaiting(session, assignment_id, expected, by, wanted="granted", now=now)
    if assignment.status == "granted":
        return assignment
    if assignment.delegated_from is not None:
        await _require_source(session, assignment.delegated_from)
    await lock_account(session, assignment.person_id)
    await require_combinable(session, assignment.person_id, assignment.role)
    await require_room(session, assignment.person_id, today=day_of(now))
    await take_administration(session, assignment.person_id, assignment.role)
    assignment.status, assignment.decided_by, assignment.decided_at = "granted", by.actor, now
    assignment.valid_from = max(assignment.valid_from, day_of(now))
    await session.flush()
    await tell_granted(session, assignment, by=by, now=now)
    return assignment


async def refuse_role(
    session: AsyncSession, *, assignment_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> RoleAssignment:
    """Refuse a proposed assignment for good; refusing it again changes nothing.

    Raises `AssignmentUnknown`, `SecondPersonNeeded` and `AlreadyDecided`.
    """
    assignment = await _awaiting(session, assignment_id, expected, by, wanted="refused", now=now)
    if assignment.status == "proposed":
        assignment.status, assignment.decided_by, assignment.decided_at = "refused", by.actor, now
        await session.flush()
        await record(session, "identity.role.refused", assignment, by=by, now=now)
    return assignment


async def _require_source(session: AsyncSession, source_id: UUID) -> None:
    """Raise `AlreadyDecided` unless the role that would be delegated is still held; whoever ends it waits for this."""
    found = select(RoleAssignment.status).where(RoleAssignment.assignment_id == source_id)
    if await session.scalar(found.with_for_update(read=True)) != "granted":
        raise AlreadyDecided


async def _awaiting(
    session: AsyncSession, assignment_id: UUID, expected: Expected, by: audit.Actor, *, wanted: str, now: datetime
) -> RoleAssignment:
    """Lock a proposal that waits for a word, or find the one to which they said what they say again."""
    assignment = await locked_within(session, assignment_id, expected, by.remit)
    if by.actor in {assignment.granted_by, assignment.person_id}:
        raise SecondPersonNeeded
    if assignment.status == wanted and assignment.decided_by == by.actor:
        return assignment
    over = assignment.valid_until is not None and assignment.valid_until < day_of(now)
    lapsed = assignment.proposed_until is None or assignment.proposed_until <= now
    if assignment.status != "proposed" or over or lapsed:
        raise AlreadyDecided
    return assignment
