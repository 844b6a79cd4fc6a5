"""What activities puts on homes: meetings to take part in; pure."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from contracts import activities
from gateway.home.items import Done, Item, Kind, item


class ActivityFacts(BaseModel):
    """What is known of a meeting."""

    activity_kind: str
    starts_at: datetime


ATTEND = Kind(
    "activity.attend",
    "/v1/activities/{}",
    "参加活动",
    "Take part in an activity",
    "members",
    "when done",
    ActivityFacts,
)
KINDS = (ATTEND,)


def of_activity(event: activities.ActivityState, version: int, time: datetime) -> Iterator[Item]:
    """An activity is to be attended by the members of the organisation that holds it."""
    yield item(
        ATTEND,
        version,
        whom=event.organisation_id,
        subject_id=event.activity_id,
        since=time,
        due_at=event.starts_at,
        expires_at=event.ends_at,
        is_open=not isinstance(event, activities.ActivityClosedV1),
        parts=(event.activity_id,),
        facts={"activity_kind": event.kind, "starts_at": event.starts_at.isoformat()},
    )


def of_participation(event: activities.ParticipationState, version: int, _: datetime) -> Iterator[Done]:
    """Who attended is no longer asked to; who only registered still is."""
    yield Done(event.person_id, ATTEND.name, event.activity_id, event.activity_id, version, event.attended)


SHOWN = {activities.ActivityState: of_activity, activities.ParticipationState: of_participation}
