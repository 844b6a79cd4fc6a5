"""Who holds which role on a day, and which roles there are."""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_

from identity.roles.rules import Moment
from identity.roles.tables import RoleAssignment
from webapi import PageRequest


def holds_on(day: date) -> ColumnElement[bool]:
    """Give the predicate of the assignments that hold on `day`."""
    return and_(
        RoleAssignment.ended_at.is_(None),
        RoleAssignment.valid_from <= day,
        or_(RoleAssignment.valid_until.is_(None), RoleAssignment.valid_until >= day),
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
    not_over = or_(RoleAssignment.valid_until.is_(None), RoleAssignment.valid_until >= day)
    of_person = (RoleAssignment.person_id == person_id, RoleAssignment.ended_at.is_(None), not_over)
    return select(func.count()).select_from(RoleAssignment).where(*of_person)


def assignments_after(
    page: PageRequest, visible: ColumnElement[bool], person_id: UUID | None
) -> Select[RoleAssignment]:
    """Select a page of the assignments that are `visible`, of one person or of all, newest first."""
    chosen = select(RoleAssignment).where(visible)
    if person_id is not None:
        chosen = chosen.where(RoleAssignment.person_id == person_id)
    after = page.after(Moment, UUID)
    if after is not None:
        chosen = chosen.where(tuple_(RoleAssignment.granted_at, RoleAssignment.assignment_id) < after)
    newest_first = (RoleAssignment.granted_at.desc(), RoleAssignment.assignment_id.desc())
    return chosen.order_by(*newest_first).limit(page.fetch)
