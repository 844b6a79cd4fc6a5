"""Delegating one's own role to another, and taking it back."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from database import known
from identity.roles.assignments import (
    AssignmentUnknown,
    definition_of,
    end_assignments,
    give_role,
    withdraw,
)
from identity.roles.rules import Days, RoleForOneself, RoleNotDelegable, days_delegated
from identity.roles.schemas import HandOnRole
from identity.roles.tables import RoleAssignment
from webapi import Limit, count_reach
from webapi.versions import Expected

DELEGATIONS: Final = Limit("delegations", most=20, window=timedelta(days=1))
"""Of one holder: a role is handed on to a deputy or a few, not to crowds."""


async def delegate_role(
    session: AsyncSession,
    *,
    source_id: UUID,
    assignment_id: UUID,
    wanted: HandOnRole,
    by: audit.Actor,
    now: datetime,
) -> RoleAssignment:
    """Delegate the holder's own role to another, where the holder has it or below and for no longer; it ends with it.

    What was delegated is not delegated again; what takes two people is proposed. Raises `AssignmentUnknown`,
    `RoleNotDelegable`, `RoleForOneself`, `orgtree.OutsideRemit`, `BeyondOwnPeriod`, `DaysOutOfOrder`, `AccountUnknown`,
    `AdministrationsCombined`, `AssignmentExists`, `TooManyRoles` and `TooOften`.
    """
    mine = (RoleAssignment.assignment_id == source_id, RoleAssignment.person_id == by.actor)
    source = await session.scalar(select(RoleAssignment).where(*mine).with_for_update())
    over = source is not None and source.valid_until is not None and source.valid_until < day_of(now)
    if source is None or source.status != "granted" or over:
        raise AssignmentUnknown
    definition = await definition_of(session, source.role)
    if not definition.delegable or source.delegated_from is not None:
        raise RoleNotDelegable
    if wanted.person_id == by.actor:
        raise RoleForOneself
    place = wanted.organisation_id or source.organisation_id
    await orgtree.require_within(session, place, {source.organisation_id})
    own = Days(source.valid_from, source.valid_until)
    days = days_delegated(own, wanted.valid_from, wanted.valid_until, today=day_of(now))
    await count_reach(session, DELEGATIONS, by.actor, now=now)
    return await give_role(
        session,
        definition,
        organisation_id=place,
        by=by,
        now=now,
        assignment_id=assignment_id,
        person_id=wanted.person_id,
        delegated_from=source_id,
        **days._asdict(),
    )


async def take_back_role(
    session: AsyncSession, *, source_id: UUID, delegation_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> RoleAssignment:
    """End what the holder of a role delegated from it; doing so again changes nothing. Raises `AssignmentUnknown`."""
    this = (RoleAssignment.assignment_id == delegation_id, RoleAssignment.delegated_from == source_id)
    found = select(RoleAssignment).where(*this, RoleAssignment.granted_by == by.actor).with_for_update()
    assignment = known(await session.scalar(found), AssignmentUnknown)
    expected.require(assignment.changes)
    if assignment.status == "granted":
        await end_assignments(session, [assignment], by=by, now=now)
    elif assignment.status == "proposed":
        await withdraw(session, assignment, by=by, now=now)
    return assignment


async def end_delegated_roles(session: AsyncSession, holder: UUID, *, by: audit.Actor, now: datetime) -> None:
    """End all that somebody delegated, as their account goes out of use."""
    found = (
        select(RoleAssignment)
        .where(RoleAssignment.granted_by == holder, RoleAssignment.delegated_from.is_not(None))
        .where(RoleAssignment.status == "granted")
        .order_by(RoleAssignment.assignment_id)
        .with_for_update()
    )
    delegated = (await session.scalars(found)).all()
    if delegated:
        await end_assignments(session, delegated, by=by, now=now)
