"""Reads of who takes part in an activity: oneself, and all for the staff that may see it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from activities.participation.schemas import ActivityForMe, ParticipationOut
from activities.participation.tables import Participation
from activities.scheduling.commands import ActivityUnknown
from activities.scheduling.queries import one_activity
from activities.scheduling.tables import Activity
from database import known
from webapi import Page, PageRequest


async def activity_for_me(
    session: AsyncSession, activity_id: UUID, *, person_id: UUID, remit: Collection[UUID]
) -> ActivityForMe:
    """Give an activity with the person's own part in it; raises `ActivityUnknown` for one they may not see."""
    shown = await one_activity(session, activity_id, person_id=person_id, remit=remit)
    mine = await session.scalar(
        select(Participation).where(Participation.activity_id == activity_id, Participation.person_id == person_id)
    )
    return ActivityForMe.model_validate({**shown.model_dump(), "my_participation": mine})


async def list_participations(
    session: AsyncSession, page: PageRequest, *, activity_id: UUID, remit: Collection[UUID], attended: bool | None
) -> Page[ParticipationOut]:
    """List who takes part in an activity, in the order of their ids; raises `ActivityUnknown` outside `remit`."""
    visible = orgtree.within(Activity.organisation_id, remit)
    held = select(Activity.activity_id).where(Activity.activity_id == activity_id, visible)
    known(await session.scalar(held), ActivityUnknown)
    wanted = select(Participation).where(Participation.activity_id == activity_id)
    if attended is not None:
        wanted = wanted.where(Participation.attended_at.is_not(None) == attended)
    return await page.select(session, wanted, Participation.person_id, shape=ParticipationOut.model_validate)
