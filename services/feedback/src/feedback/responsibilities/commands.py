"""The command on responsibilities: assign one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from database import insert_or_same
from feedback.responsibilities.rules import check_owner
from feedback.responsibilities.schemas import AssignResponsibility
from feedback.responsibilities.tables import Responsibility


class ResponsibilityTaken(Exception):
    """The id belongs to another responsibility, or one of this category and place begins on that very day."""


async def assign_responsibility(
    session: AsyncSession, *, responsibility_id: UUID, wanted: AssignResponsibility, by: audit.Actor, now: datetime
) -> Responsibility:
    """Make an organisation answer a category's cases from a place and all below it; the same again changes nothing.

    Raises `orgtree.OutsideRemit` for either organisation, `CategoryWithoutOwner` and `ResponsibilityTaken`.
    """
    await orgtree.require_within(session, wanted.organisation_id, by.remit)
    await orgtree.require_within(session, wanted.responsible_id, by.remit)
    for_root = (Responsibility.category == wanted.category, Responsibility.organisation_id == orgtree.ROOT_ID)
    owned_from = await session.scalar(select(func.min(Responsibility.valid_from)).where(*for_root))
    check_owner(orgtree.ROOT_ID, wanted.organisation_id, wanted.valid_from, owned_from)
    stated = wanted.model_dump(exclude={"responsibility_id"})
    new = {"responsibility_id": responsibility_id, **stated, "assigned_by": by.person_id, "assigned_at": now}
    assigned, inserted = await insert_or_same(session, Responsibility, new, stated=stated, taken=ResponsibilityTaken)
    if inserted:
        entry = by.entry(
            "feedback.responsibility.assigned", object_id=responsibility_id, organisation_id=wanted.organisation_id
        )
        await audit.record(session, entry, now=now)
    return assigned
