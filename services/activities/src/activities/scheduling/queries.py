"""Reads of activities: those a person may take part in, and those within the caller's remit."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from activities.scheduling.commands import ActivityUnknown
from activities.scheduling.schemas import ActivityOut
from activities.scheduling.tables import Activity
from database import known, narrowed
from webapi import Page, PageRequest


async def visible_to(session: AsyncSession, person_id: UUID, remit: Collection[UUID]) -> ColumnElement[bool]:
    """Give the predicate of the activities a person may see.

    They are those of the organisations on the way from the person's own branch up to the root, because its members
    may take part in them, and those within `remit`.
    """
    own = await orgtree.affiliation_of(session, person_id)
    path = await orgtree.ancestors_of(session, own) if own is not None else ()
    mine = Activity.organisation_id.in_(path)
    return or_(mine, orgtree.within(Activity.organisation_id, remit)) if remit else mine


async def list_activities(
    session: AsyncSession,
    page: PageRequest,
    *,
    person_id: UUID,
    remit: Collection[UUID],
    activity_ids: list[UUID] | None,
    organisation_id: UUID | None,
    kind: str | None,
    status: str | None,
    starts_from: datetime | None,
    starts_until: datetime | None,
) -> Page[ActivityOut]:
    """List the activities a person may see, the latest start first."""
    wanted = select(Activity).where(await visible_to(session, person_id, remit))
    wanted = narrowed(
        wanted,
        {
            Activity.activity_id: activity_ids,
            Activity.organisation_id: organisation_id,
            Activity.kind: kind,
            Activity.status: status,
        },
    )
    if starts_from is not None:
        wanted = wanted.where(Activity.starts_at >= starts_from)
    if starts_until is not None:
        wanted = wanted.where(Activity.starts_at < starts_until)
    key, shape = (Activity.starts_at, Activity.activity_id), ActivityOut.model_validate
    return await page.select(session, wanted, *key, shape=shape, latest_first=True)


async def one_activity(
    session: AsyncSession, activity_id: UUID, *, person_id: UUID, remit: Collection[UUID]
) -> ActivityOut:
    """Give an activity; raises `ActivityUnknown` for one the person may not see."""
    visible = await visible_to(session, person_id, remit)
    found = select(Activity).where(Activity.activity_id == activity_id, visible)
    return ActivityOut.model_validate(known(await session.scalar(found), ActivityUnknown))
