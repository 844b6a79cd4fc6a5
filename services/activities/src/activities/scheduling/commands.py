"""Commands on activities: schedule one, close it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from activities.scheduling.rules import check_can_close, check_times
from activities.scheduling.schemas import ScheduleActivity
from activities.scheduling.tables import Activity
from contracts.activities import ActivityClosedV1, ActivityScheduledV1, ActivityState
from database import insert_or_same, known
from messaging import Publication, append
from webapi.versions import Expected


class ActivityUnknown(Exception):
    """There is no such activity, or none that the caller may see."""


class ActivityIdTaken(Exception):
    """The id brought for an activity belongs to another one."""


async def schedule_activity(
    session: AsyncSession, *, activity_id: UUID, wanted: ScheduleActivity, by: audit.Actor, now: datetime
) -> Activity:
    """Set down an activity of an organisation; the same one under the same id again changes nothing.

    Raises `orgtree.OutsideRemit`, `EndsBeforeItStarts`, `LastsTooLong` and `ActivityIdTaken`.
    """
    check_times(wanted.starts_at, wanted.ends_at)
    stated = {**wanted.model_dump(exclude={"activity_id"}), "scheduled_by": by.person_id}
    new = {"activity_id": activity_id, **stated, "status": "scheduled", "scheduled_at": now, "version": 1}
    within = orgtree.row_within(session, wanted.organisation_id, by.remit)
    activity, inserted = await insert_or_same(
        session, Activity, new, stated=stated, taken=ActivityIdTaken, under=within
    )
    if inserted:
        await _publish(session, ActivityScheduledV1, activity, by=by, action="activities.activity.scheduled", now=now)
    return activity


async def close_activity(
    session: AsyncSession, *, activity_id: UUID, expected: Expected, by: audit.Actor, now: datetime
) -> Activity:
    """Make an activity's attendance final; closing it again changes nothing.

    Raises `ActivityUnknown` and `NotYetBegun`.
    """
    visible = orgtree.within(Activity.organisation_id, by.remit)
    found = select(Activity).where(Activity.activity_id == activity_id, visible).with_for_update()
    activity = known(await session.scalar(found), ActivityUnknown)
    expected.require(activity.version)
    if activity.status == "closed":
        return activity
    check_can_close(activity.starts_at, now)
    activity.status, activity.closed_by, activity.closed_at = "closed", by.person_id, now
    activity.version += 1
    await session.flush()
    await _publish(session, ActivityClosedV1, activity, by=by, action="activities.activity.closed", now=now)
    return activity


async def _publish(
    session: AsyncSession,
    event: type[ActivityState],
    activity: Activity,
    *,
    by: audit.Actor,
    action: str,
    now: datetime,
) -> None:
    """Tell what happened to an activity: an event for the others, an entry for the audit."""
    state = event.model_validate(activity, from_attributes=True)
    await append(session, [Publication(state, activity.version, by.origin)])
    entry = by.entry(action, object_id=activity.activity_id, organisation_id=activity.organisation_id)
    await audit.record(session, entry, now=now)
