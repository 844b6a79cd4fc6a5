"""The command on responsibilities: assign one."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from database import insert_or_same
from feedback.responsibilities.rules import check_owner
from feedback.responsibilities.tables import Responsibility


class ResponsibilityTaken(Exception):
    """The id belongs to another responsibility, or one of this category and place begins on that very day."""


async def assign_responsibility(
    session: AsyncSession,
    *,
    responsibility_id: UUID,
    category: str,
    organisation_id: UUID,
    responsible_id: UUID,
    working_days: int,
    valid_from: date,
    remit: Collection[UUID],
    person_id: UUID,
    by: audit.Actor,
    now: datetime,
) -> Responsibility:
    """Make an organisation answer a category's cases from a place and all below it; the same again changes nothing.

    Raises `orgtree.OutsideRemit` for either organisation, `CategoryWithoutOwner` and `ResponsibilityTaken`.
    """
    await orgtree.require_within(session, organisation_id, remit)
    await orgtree.require_within(session, responsible_id, remit)
    for_root = (Responsibility.category == category, Responsibility.organisation_id == orgtree.ROOT_ID)
    owned_from = await session.scalar(select(func.min(Responsibility.valid_from)).where(*for_root))
    check_owner(orgtree.ROOT_ID, organisation_id, valid_from, owned_from)
    stated = {
        "category": category,
        "organisation_id": organisation_id,
        "responsible_id": responsible_id,
        "working_days": working_days,
        "valid_from": valid_from,
    }
    new = {"responsibility_id": responsibility_id, **stated, "assigned_by": person_id, "assigned_at": now}
    assigned, inserted = await insert_or_same(session, Responsibility, new, stated=stated, taken=ResponsibilityTaken)
    if inserted:
        entry = by.entry(
            "feedback.responsibility.assigned", object_id=responsibility_id, organisation_id=organisation_id
        )
        await audit.record(session, entry, now=now)
    return assigned
