"""Granting roles and ending them."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from identity.accounts.tables import Account
from identity.roles.assignments import (
    add_assignment,
    definition_of,
    end_assignments,
    give_role,
    locked_within,
    take_administrators_away_in_turn,
    tell_granted,
    withdraw,
)
from identity.roles.queries import holds_on
from identity.roles.rules import (
    ADMINISTRATIONS,
    LastAdministrator,
    RoleForOneself,
    RoleNotYours,
    grantable_within,
    require_days_in_order,
)
from identity.roles.schemas import GrantRole
from identity.roles.tables import RoleAssignment
from webapi.versions import Expected


async def grant_role(
    session: AsyncSession,
    *,
    assignment_id: UUID,
    wanted: GrantRole,
    by: audit.Actor,
    held: Collection[tuple[str, UUID]],
    now: datetime,
) -> RoleAssignment:
    """Give a person a role on an organisation and all below it; one that takes two people is proposed.

    `held` are the roles of whoever grants it. Raises `orgtree.OutsideRemit`, `RoleForOneself`, `RoleUnknown`,
    `RoleNotYours`, `AccountUnknown`, `AssignmentExists`, `DaysOutOfOrder`, `AdministrationsCombined` and
    `TooManyRoles`.
    """
    person_id, organisation_id = wanted.person_id, wanted.organisation_id
    await orgtree.require_within(session, organisation_id, by.remit)
    if by.actor == person_id:
        raise RoleForOneself
    definition = await definition_of(session, wanted.role)
    allowed = grantable_within(definition.granted_by, held, by.remit)
    if not allowed:
        raise RoleNotYours
    await orgtree.require_within(session, organisation_id, allowed)
    first = wanted.valid_from or day_of(now)
    require_days_in_order(first, wanted.valid_until, today=day_of(now))
    return await give_role(
        session,
        definition,
        organisation_id=organisation_id,
        by=by,
        now=now,
        assignment_id=assignment_id,
        person_id=person_id,
        valid_from=first,
        valid_until=wanted.valid_until,
    )


async def appoint(
    session: AsyncSession, *, assignment_id: UUID, person_id: UUID, role: str, organisation_id: UUID, now: datetime
) -> RoleAssignment:
    """Give a person a role by nobody's word, as only the first start may: it holds at once, and without an end.

    Raises `RoleUnknown`, `AccountUnknown`, `AssignmentExists`, `AdministrationsCombined` and `TooManyRoles`.
    """
    await definition_of(session, role)
    assignment = await add_assignment(
        session,
        assignment_id=assignment_id,
        person_id=person_id,
        role=role,
        organisation_id=organisation_id,
        valid_from=day_of(now),
        status="granted",
        granted_at=now,
    )
    await tell_granted(session, assignment, by=None, now=now)
    return assignment


async def end_role(
    session: AsyncSession, *, assignment_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> RoleAssignment:
    """End a role assignment from this moment on, and all that was delegated from it; ending it again changes nothing.

    A proposal is withdrawn. Raises `AssignmentUnknown` for one that does not exist or lies outside the remit, and
    `LastAdministrator`.
    """
    assignment = await locked_within(session, assignment_id, expected, by.remit)
    if assignment.status == "proposed":
        await withdraw(session, assignment, by=by, now=now)
    elif assignment.status == "granted":
        await _require_another_administrator(session, assignment, today=day_of(now))
        await end_assignments(session, [assignment], by=by, now=now)
    await session.flush()
    return assignment


async def _require_another_administrator(session: AsyncSession, assignment: RoleAssignment, *, today: date) -> None:
    """See to it that the system can still be administered. Raises `LastAdministrator`."""
    if assignment.role not in ADMINISTRATIONS or assignment.organisation_id != orgtree.ROOT_ID:
        return
    await take_administrators_away_in_turn(session)
    others = select(RoleAssignment.person_id).where(
        RoleAssignment.role == assignment.role,
        RoleAssignment.organisation_id == orgtree.ROOT_ID,
        RoleAssignment.person_id != assignment.person_id,
        holds_on(today),
    )
    others = others.join(Account, Account.account_id == RoleAssignment.person_id).where(Account.status == "active")
    if await session.scalar(others.with_for_update(of=RoleAssignment).limit(1)) is None:
        raise LastAdministrator
