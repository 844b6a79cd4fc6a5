"""Events of an activity: what an organisation scheduled, and that it is over."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from contracts.envelope import Code, Event


class ActivityState(Event):
    """One meeting or activity of an organisation; its title and agenda stay in the service."""

    aggregate: ClassVar[str] = "activity"
    identified_by: ClassVar[str] = "activity_id"

    activity_id: UUID
    organisation_id: UUID
    kind: Code
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class ActivityScheduledV1(ActivityState):
    """A meeting or activity was set down for a time."""

    type: ClassVar[str] = "xiangqiao.activities.activity.scheduled.v1"


class ActivityClosedV1(ActivityState):
    """The activity is over and its attendance is final."""

    type: ClassVar[str] = "xiangqiao.activities.activity.closed.v1"


class ActivityWithdrawnV1(Event):
    """A restore lost this activity: activities knows no such one, and whoever was told of it forgets it."""

    type: ClassVar[str] = "xiangqiao.activities.activity.withdrawn.v1"
    aggregate: ClassVar[str] = "activity"
    identified_by: ClassVar[str] = "activity_id"

    activity_id: UUID
