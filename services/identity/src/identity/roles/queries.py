"""Who holds which role on a day, and which assignments there are."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

import orgtree
from identity.accounts.tables import Account
from identity.roles.schemas import RoleAssignmentOut
from identity.roles.tables import RoleAssignment
from webapi import Page, PageRequest


def holds_on(day: date) -> ColumnElement[bool]:
    """Give the predicate of the assignments that hold on `day`: those granted, approved where that is needed."""
    return and_(
        RoleAssignment.status == "granted",
        RoleAssignment.valid_from <= day,
        or_(RoleAssignment.valid_until.is_(None), RoleAssignment.valid_until >= day),
        or_(RoleAssignment.delegated_from.is_(None), _below_its_source()),
    )


def _below_its_source() -> ColumnElement[bool]:
    """Say that a role that was delegated still lies where it came from, and that its giver's account is in use.

    An organisation may have moved away since.
    """
    in_use = Account.status == "active"
    source, place = aliased(RoleAssignment), orgtree.organisation.alias()
    return exists(
        select(source.assignment_id)
        .join(place, place.c.organisation_id == RoleAssignment.organisation_id)
        .where(source.assignment_id == RoleAssignment.delegated_from, source.status == "granted")
        .where(source.organisation_id == any_(place.c.ancestors))
        .where(exists(select(Account.account_id).where(Account.account_id == source.person_id, in_use)))
        .correlate(RoleAssignment)
    )


def held_on(person_id: UUID, day: date) -> Select[str, UUID]:
    """Select the (role, organisation_id) pairs a person holds on `day`, each once."""
    return (
        select(RoleAssignment.role, RoleAssignment.organisation_id)
        .where(RoleAssignment.person_id == person_id, holds_on(day))
        .distinct()
        .order_by(RoleAssignment.role, RoleAssignment.organisation_id)
    )


def count_of_not_over(person_id: UUID, day: date) -> Select[int]:
    """Count the assignments of a person that hold on `day` or will hold later."""
    return select(func.count()).select_from(RoleAssignment).where(RoleAssignment.person_id == person_id, not_over(day))


def not_over(day: date) -> ColumnElement[bool]:
    """Give the predicate of the assignments that hold on `day` or will hold later."""
    lasts = or_(RoleAssignment.valid_until.is_(None), RoleAssignment.valid_until >= day)
    return and_(RoleAssignment.status == "granted", lasts)


async def was_given_a_role_since(session: AsyncSession, person_id: UUID, moment: datetime, *, day: date) -> bool:
    """Say whether a person was given a role after `moment` that holds on `day` or will hold later."""
    given_at = func.coalesce(RoleAssignment.decided_at, RoleAssignment.granted_at)
    given = select(RoleAssignment.assignment_id).where(
        RoleAssignment.person_id == person_id, not_over(day), given_at > moment
    )
    return await session.scalar(given.limit(1)) is not None


async def list_assignments(
    session: AsyncSession, page: PageRequest, *conditions: ColumnElement[bool]
) -> Page[RoleAssignmentOut]:
    """List the assignments that meet all conditions, newest first."""
    chosen, shape = select(RoleAssignment).where(*conditions), RoleAssignmentOut.model_validate
    key = (RoleAssignment.granted_at, RoleAssignment.assignment_id)
    return await page.select(session, chosen, *key, shape=shape, latest_first=True)
