"""Granting roles, handing them on and ending them; each change is told to every service."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from contracts.identity import RoleEndedV1, RoleGrantedV1
from identity.accounts.tables import Account
from identity.roles.queries import count_of_not_over, holds_on
from identity.roles.rules import (
    ADMINISTRATIONS,
    MOST_ROLES_HELD,
    PROPOSALS_HOLD,
    READS_FILES,
    AdministrationsCombined,
    Days,
    LastAdministrator,
    RoleForOneself,
    RoleNotDelegable,
    RoleNotYours,
    TooManyRoles,
    days_handed_on,
    grantable_within,
    require_days_in_order,
)
from identity.roles.tables import Administrator, RoleAssignment, RoleDefinition
from identity.sessions.revoking import AccountUnknown, raise_authorization_version
from messaging import Publication, append


class RoleUnknown(Exception):
    """There is no role of that name."""


class AssignmentUnknown(Exception):
    """There is no such role assignment, or none that the caller may see."""


class AssignmentExists(Exception):
    """The id brought for a role assignment is taken."""


async def grant_role(
    session: AsyncSession,
    *,
    assignment_id: UUID,
    person_id: UUID,
    role: str,
    organisation_id: UUID,
    valid_from: date | None,
    valid_until: date | None,
    granter: UUID | None,
    scopes: Collection[UUID] | None,
    now: datetime,
    held: Collection[tuple[str, UUID]] = (),
) -> RoleAssignment:
    """Give a person a role on an organisation and all below it; a privileged one is only proposed.

    `scopes` are the organisations within which the granter may grant, and `held` the granter's roles; None is the first
    start, which has no granter and proposes nothing. Raises `orgtree.OutsideScope`, `RoleForOneself`, `RoleUnknown`,
    `RoleNotYours`, `AccountUnknown`, `AssignmentExists`, `DaysOutOfOrder`, `AdministrationsCombined` and
    `TooManyRoles`.
    """
    if scopes is not None:
        await orgtree.require_within(session, organisation_id, scopes)
    if granter == person_id:
        raise RoleForOneself
    definition = await _definition(session, role)
    if scopes is not None:
        allowed = grantable_within(definition.granted_by, held, scopes)
        if not allowed:
            raise RoleNotYours
        await orgtree.require_within(session, organisation_id, allowed)
    days = Days(valid_from or day_of(now), valid_until)
    require_days_in_order(*days, today=day_of(now))
    proposed = definition.privileged and granter is not None
    await lock_account(session, person_id)
    await require_combinable(session, person_id, role)
    assignment = await _insert(
        session,
        assignment_id=assignment_id,
        person_id=person_id,
        role=role,
        organisation_id=organisation_id,
        valid_from=days.valid_from,
        valid_until=days.valid_until,
        status="proposed" if proposed else "granted",
        granted_by=granter,
        granted_at=now,
        proposed_until=now + PROPOSALS_HOLD if proposed else None,
    )
    if proposed:
        await record(session, "identity.role.proposed", assignment, actor=granter, now=now)
    else:
        await tell_granted(session, assignment, actor=granter, now=now)
    return assignment


async def hand_on_role(
    session: AsyncSession,
    *,
    source_id: UUID,
    assignment_id: UUID,
    person_id: UUID,
    organisation_id: UUID | None,
    valid_from: date | None,
    valid_until: date | None,
    holder: UUID,
    now: datetime,
) -> RoleAssignment:
    """Hand the holder's own role on to another, where the holder has it or below and for no longer; it ends with it.

    What was handed on is not handed on again. Raises `AssignmentUnknown`, `RoleNotDelegable`, `RoleForOneself`,
    `orgtree.OutsideScope`, `BeyondOwnPeriod`, `DaysOutOfOrder`, `AccountUnknown`, `AdministrationsCombined`,
    `AssignmentExists`, `TooManyRoles`.
    """
    own = (RoleAssignment.assignment_id == source_id, RoleAssignment.person_id == holder)
    source = await session.scalar(select(RoleAssignment).where(*own).with_for_update())
    if source is None or source.status != "granted" or _is_over(source, day_of(now)):
        raise AssignmentUnknown
    definition = await _definition(session, source.role)
    if not definition.delegable or source.delegated_from is not None:
        raise RoleNotDelegable
    if person_id == holder:
        raise RoleForOneself
    place = organisation_id or source.organisation_id
    await orgtree.require_within(session, place, {source.organisation_id})
    days = days_handed_on(Days(source.valid_from, source.valid_until), valid_from, valid_until, today=day_of(now))
    await lock_account(session, person_id)
    await require_combinable(session, person_id, source.role)
    assignment = await _insert(
        session,
        assignment_id=assignment_id,
        person_id=person_id,
        role=source.role,
        organisation_id=place,
        valid_from=days.valid_from,
        valid_until=days.valid_until,
        status="granted",
        delegated_from=source_id,
        granted_by=holder,
        granted_at=now,
    )
    await tell_granted(session, assignment, actor=holder, now=now)
    return assignment


async def end_role(
    session: AsyncSession, *, assignment_id: UUID, ender: UUID, scopes: Collection[UUID], now: datetime
) -> RoleAssignment:
    """End a role assignment from this moment on, and all that was handed on from it; ending it again changes nothing.

    A proposal is withdrawn. Raises `AssignmentUnknown` for one that does not exist or lies outside `scopes`, and
    `LastAdministrator`.
    """
    visible = orgtree.within(RoleAssignment.organisation_id, scopes)
    found = select(RoleAssignment).where(RoleAssignment.assignment_id == assignment_id, visible).with_for_update()
    assignment = await session.scalar(found)
    if assignment is None:
        raise AssignmentUnknown
    if assignment.status == "proposed":
        assignment.status, assignment.ended_at, assignment.ended_by = "withdrawn", now, ender
        await record(session, "identity.role.withdrawn", assignment, actor=ender, now=now)
    elif assignment.status == "granted":
        await _require_another_administrator(session, assignment, today=day_of(now))
        await end_assignments(session, [assignment], ender=ender, now=now)
    await session.flush()
    return assignment


async def take_back_role(
    session: AsyncSession, *, source_id: UUID, delegation_id: UUID, holder: UUID, now: datetime
) -> RoleAssignment:
    """End what the holder of a role handed on from it; doing so again changes nothing. Raises `AssignmentUnknown`."""
    assignment = await session.scalar(
        select(RoleAssignment)
        .where(RoleAssignment.assignment_id == delegation_id, RoleAssignment.delegated_from == source_id)
        .where(RoleAssignment.granted_by == holder)
        .with_for_update()
    )
    if assignment is None:
        raise AssignmentUnknown
    if assignment.status == "granted":
        await end_assignments(session, [assignment], ender=holder, now=now)
    return assignment


async def end_what_was_handed_on(session: AsyncSession, holder: UUID, *, ender: UUID, now: datetime) -> None:
    """End all that somebody handed on, as their account goes out of use."""
    found = (
        select(RoleAssignment)
        .where(RoleAssignment.granted_by == holder, RoleAssignment.delegated_from.is_not(None))
        .where(RoleAssignment.status == "granted")
        .order_by(RoleAssignment.assignment_id)
        .with_for_update()
    )
    handed_on = (await session.scalars(found)).all()
    if handed_on:
        await end_assignments(session, handed_on, ender=ender, now=now)


async def end_assignments(
    session: AsyncSession, assignments: Sequence[RoleAssignment], *, ender: UUID | None, now: datetime
) -> None:
    """End assignments that are locked and hold, and what was handed on from them, and tell of each."""
    handed_on = (
        select(RoleAssignment)
        .where(RoleAssignment.delegated_from.in_([each.assignment_id for each in assignments]))
        .where(RoleAssignment.status == "granted")
        .order_by(RoleAssignment.assignment_id)
        .with_for_update()
    )
    ending = {each.assignment_id: each for each in (*assignments, *await session.scalars(handed_on))}
    told = []
    for each in ending.values():
        await record(session, "identity.role.ended", each, actor=ender, now=now)
        each.status, each.ended_at, each.ended_by, each.version = "ended", now, ender, each.version + 1
        last_day = day_of(now) if each.valid_until is None else min(each.valid_until, day_of(now))
        told.append(Publication(RoleEndedV1(**{**_state(each), "valid_until": last_day}), version=each.version))
    await session.flush()
    await append(session, told, actor=ender)
    for person_id in sorted({each.person_id for each in ending.values()}):
        await raise_authorization_version(session, person_id, now=now, actor=ender)


async def tell_granted(session: AsyncSession, assignment: RoleAssignment, *, actor: UUID | None, now: datetime) -> None:
    """Tell that an assignment holds from now on; older tokens of the person do not say so and end."""
    word = "approved" if assignment.decided_by else "delegated" if assignment.delegated_from else "granted"
    await record(session, f"identity.role.{word}", assignment, actor=actor, now=now)
    event = RoleGrantedV1(**_state(assignment))
    await append(session, [Publication(event, version=assignment.version)], actor=actor)
    await raise_authorization_version(session, assignment.person_id, now=now, actor=actor)


async def record(
    session: AsyncSession, action: str, assignment: RoleAssignment, *, actor: UUID | None, now: datetime
) -> None:
    """Put into the audit what became of an assignment, with its role as the purpose."""
    entry = audit.Entry(
        action=action,
        actor=actor,
        subject=assignment.person_id,
        object_id=assignment.assignment_id,
        organisation_id=assignment.organisation_id,
        purpose=assignment.role,
    )
    await audit.record(session, entry, now=now)


async def lock_account(session: AsyncSession, person_id: UUID) -> None:
    """Let changes of one person's roles follow each other. Raises `AccountUnknown`."""
    account = select(Account.account_id).where(Account.account_id == person_id).with_for_update()
    if await session.scalar(account) is None:
        raise AccountUnknown


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


async def _definition(session: AsyncSession, role: str) -> RoleDefinition:
    definition = await session.scalar(select(RoleDefinition).where(RoleDefinition.role == role))
    if definition is None:
        raise RoleUnknown
    return definition


async def _insert(
    session: AsyncSession, *, person_id: UUID, role: str, granted_at: datetime, status: str, **others: object
) -> RoleAssignment:
    await require_room(session, person_id, today=day_of(granted_at))
    if status == "granted":
        await take_administration(session, person_id, role)
    values = {"person_id": person_id, "role": role, "granted_at": granted_at, "status": status, **others}
    stated = insert(RoleAssignment).values(values).on_conflict_do_nothing()
    assignment: RoleAssignment | None = await session.scalar(stated.returning(RoleAssignment))
    if assignment is None:
        raise AssignmentExists
    return assignment


async def _require_another_administrator(session: AsyncSession, assignment: RoleAssignment, *, today: date) -> None:
    """See to it that the system can still be administered. Raises `LastAdministrator`."""
    if assignment.role not in ADMINISTRATIONS or assignment.organisation_id != orgtree.ROOT_ID:
        return
    others = select(RoleAssignment.person_id).where(
        RoleAssignment.role == assignment.role,
        RoleAssignment.organisation_id == orgtree.ROOT_ID,
        RoleAssignment.person_id != assignment.person_id,
        holds_on(today),
    )
    others = others.join(Account, Account.account_id == RoleAssignment.person_id).where(Account.status == "active")
    if await session.scalar(others.with_for_update(of=RoleAssignment).limit(1)) is None:
        raise LastAdministrator


def _is_over(assignment: RoleAssignment, today: date) -> bool:
    return assignment.valid_until is not None and assignment.valid_until < today


def _state(assignment: RoleAssignment) -> dict[str, object]:
    return {name: getattr(assignment, name) for name in RoleGrantedV1.model_fields}
