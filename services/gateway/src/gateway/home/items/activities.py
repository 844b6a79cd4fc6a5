"""What activities puts on homes: meetings to take part in; pure."""

from collections.abc import Iterator
from datetime import datetime

from contracts import activities
from gateway.home.items import Done, Item, item


def of_activity(event: activities.ActivityState, version: int, time: datetime) -> Iterator[Item]:
    """An activity is to be attended by the members of the organisation that holds it."""
    yield item(
        "activity.attend",
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
    yield Done(event.person_id, "activity.attend", event.activity_id, event.activity_id, version, event.attended)
