"""An assignment of a role, and what its beginning and its end bring with them: each is told to every service."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from contracts.identity import RoleEndedV1, RoleGrantedV1
from database import known
from identity.accounts.authorization import lock_account, raise_authorization_version
from identity.roles.queries import count_of_not_over
from identity.roles.rules import (
    ADMINISTRATIONS,
    MOST_ROLES_HELD,
    PROPOSALS_HOLD,
    READS_FILES,
    AdministrationsCombined,
    TooManyRoles,
    takes_two,
)
from identity.roles.tables import Administrator, RoleAssignment, RoleDefinition
from messaging import Publication, append
from webapi.versions import Expected

_LAST_ONES = 0x61646D696E  # one advisory lock for all who take administrators away; any constant will do


class RoleUnknown(Exception):
    """There is no role of that name."""


class AssignmentUnknown(Exception):
    """There is no such role assignment, or none that the caller may see."""


class AssignmentExists(Exception):
    """The id brought for a role assignment is taken."""


async def definition_of(session: AsyncSession, role: str) -> RoleDefinition:
    """Give what is said of a role. Raises `RoleUnknown`."""
    return known(await session.scalar(select(RoleDefinition).where(RoleDefinition.role == role)), RoleUnknown)


async def locked_within(
    session: AsyncSession, assignment_id: UUID, expected: Expected, remit: Collection[UUID]
) -> RoleAssignment:
    """Lock and give an assignment that is visible within `remit`. Raises `AssignmentUnknown` and the 412 problem."""
    visible = orgtree.within(RoleAssignment.organisation_id, remit)
    found = select(RoleAssignment).where(RoleAssignment.assignment_id == assignment_id, visible).with_for_update()
    assignment = known(await session.scalar(found), AssignmentUnknown)
    expected.require(assignment.changes)
    return assignment


async def add_assignment(
    session: AsyncSession, *, person_id: UUID, role: str, granted_at: datetime, status: str, **others: object
) -> RoleAssignment:
    """Lock a person's account and write a new assignment; what is not named here are columns of its row.

    Raises `AccountUnknown`, `AdministrationsCombined`, `TooManyRoles` and `AssignmentExists`.
    """
    await lock_account(session, person_id)
    await require_combinable(session, person_id, role)
    await require_room(session, person_id, today=day_of(granted_at))
    if status == "granted":
        await take_administration(session, person_id, role)
    values = {"person_id": person_id, "role": role, "granted_at": granted_at, "status": status, **others}
    stated = insert(RoleAssignment).values(values).on_conflict_do_nothing().returning(RoleAssignment)
    return known(await session.scalar(stated), AssignmentExists)


async def give_role(
    session: AsyncSession,
    definition: RoleDefinition,
    *,
    organisation_id: UUID,
    by: audit.Actor,
    now: datetime,
    person_id: UUID,
    **others: object,
) -> RoleAssignment:
    """Write an assignment that somebody gives, and tell of it: it holds at once, or is proposed where it takes two.

    Raises what `add_assignment` raises.
    """
    tree = orgtree.organisation.c
    level = await session.scalar(select(tree.level).where(tree.organisation_id == organisation_id))
    two = takes_two(privileged=definition.privileged, permissions=definition.permissions, level=level)
    assignment = await add_assignment(
        session,
        person_id=person_id,
        role=definition.role,
        organisation_id=organisation_id,
        status="proposed" if two else "granted",
        granted_by=by.actor,
        granted_at=now,
        proposed_until=now + PROPOSALS_HOLD if two else None,
        **others,
    )
    if two:
        await record(session, "identity.role.proposed", assignment, by=by, now=now)
    else:
        await tell_granted(session, assignment, by=by, now=now)
    return assignment


async def withdraw(session: AsyncSession, assignment: RoleAssignment, *, by: audit.Actor, now: datetime) -> None:
    """Take a proposal back that is locked and waits."""
    assignment.status, assignment.ended_at, assignment.ended_by = "withdrawn", now, by.actor
    await session.flush()
    await record(session, "identity.role.withdrawn", assignment, by=by, now=now)


async def end_assignments(
    session: AsyncSession, assignments: Sequence[RoleAssignment], *, by: audit.Actor | None, now: datetime
) -> None:
    """End assignments that are locked and hold, and what was delegated from them, and tell of each; nobody may act."""
    ender = _id_of(by)
    delegated = (
        select(RoleAssignment)
        .where(RoleAssignment.delegated_from.in_([each.assignment_id for each in assignments]))
        .where(RoleAssignment.status == "granted")
        .order_by(RoleAssignment.assignment_id)
        .with_for_update()
    )
    ending = {each.assignment_id: each for each in (*assignments, *await session.scalars(delegated))}
    publications = []
    for each in ending.values():
        await record(session, "identity.role.ended", each, by=by, now=now)
        each.status, each.ended_at, each.ended_by, each.version = "ended", now, ender, each.version + 1
        publications.append(Publication(RoleEndedV1(**state_of(each)), version=each.version))
    await session.flush()
    await append(session, publications, actor=ender)
    for person_id in sorted({each.person_id for each in ending.values()}):
        await raise_authorization_version(session, person_id, now=now, actor=ender)


async def tell_granted(
    session: AsyncSession, assignment: RoleAssignment, *, by: audit.Actor | None, now: datetime
) -> None:
    """Tell that an assignment holds from now on; older tokens of the person do not say so and end."""
    word = "approved" if assignment.decided_by else "delegated" if assignment.delegated_from else "granted"
    await record(session, f"identity.role.{word}", assignment, by=by, now=now)
    event = RoleGrantedV1(**state_of(assignment))
    await append(session, [Publication(event, version=assignment.version)], actor=_id_of(by))
    await raise_authorization_version(session, assignment.person_id, now=now, actor=_id_of(by))


async def record(
    session: AsyncSession, action: str, assignment: RoleAssignment, *, by: audit.Actor | None, now: datetime
) -> None:
    """Put into the audit what became of an assignment, with its role as the purpose."""
    facts: dict[str, Any] = {
        "subject": assignment.person_id,
        "object_id": assignment.assignment_id,
        "organisation_id": assignment.organisation_id,
        "purpose": assignment.role,
    }
    entry = audit.Entry(action=action, actor=None, **facts) if by is None else by.entry(action, **facts)
    await audit.record(session, entry, now=now)


def _id_of(by: audit.Actor | None) -> UUID | None:
    return None if by is None else by.actor


async def take_administrators_away_in_turn(session: AsyncSession) -> None:
    """Let commands that leave fewer administrators follow each other: the next statement sees who is left."""
    await session.execute(select(func.pg_advisory_xact_lock(_LAST_ONES)))


async def require_combinable(session: AsyncSession, person_id: UUID, role: str) -> None:
    """Raise `AdministrationsCombined` where a person whose account is locked would combine what nobody combines.

    Two administrations, which the database refuses by itself, so that the refusal gets its reason; and an
    administration with a role that reads members' files.
    """
    reading = select(RoleDefinition.role).where(RoleDefinition.permissions.contains([READS_FILES]))
    other = RoleAssignment.administration.is_not(None) & (RoleAssignment.administration != role)
    if role in ADMINISTRATIONS:
        other |= (RoleAssignment.status == "granted") & RoleAssignment.role.in_(reading)
    elif await session.scalar(reading.where(RoleDefinition.role == role)) is None:
        return
    if await session.scalar(select(RoleAssignment.role).where(RoleAssignment.person_id == person_id, other).limit(1)):
        raise AdministrationsCombined


async def take_administration(session: AsyncSession, person_id: UUID, role: str) -> None:
    """Make `role` the one administration of the person, as the assignments of it demand."""
    if role in ADMINISTRATIONS:
        stated = insert(Administrator).values(person_id=person_id, role=role)
        change = Administrator.role != stated.excluded.role
        await session.execute(
            stated.on_conflict_do_update(
                index_elements=[Administrator.person_id], set_={"role": stated.excluded.role}, where=change
            )
        )


async def require_room(session: AsyncSession, person_id: UUID, *, today: date) -> None:
    """Raise `TooManyRoles` where a person's token could not carry one more role."""
    if (await session.scalar(count_of_not_over(person_id, today)) or 0) >= MOST_ROLES_HELD:
        raise TooManyRoles


def state_of(assignment: RoleAssignment) -> dict[str, Any]:
    """Give an assignment as its events carry it: the last day of one that was ended is the day it was, or earlier."""
    state = {name: getattr(assignment, name) for name in RoleGrantedV1.model_fields}
    if assignment.status == "ended" and assignment.ended_at is not None:
        day = day_of(assignment.ended_at)
        state["valid_until"] = min(assignment.valid_until or day, day)
    return state
