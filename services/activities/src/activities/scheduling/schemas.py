"""Bodies and answers about activities."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from activities.scheduling.rules import Kind
from china_time import Moment
from webapi.bodies import Body, HttpsUrl, Line, Versioned


class ScheduleActivity(Body):
    """A meeting or activity to set down; bring `activity_id` (UUIDv7) to be able to send it again safely."""

    activity_id: UUID | None = None
    organisation_id: UUID
    kind: Kind
    title: Line
    starts_at: Moment
    ends_at: Moment
    place: Line | None = None
    join_url: HttpsUrl | None = Field(None, description="https link by which members away from the village join.")
    agenda: Annotated[list[Line], Field(max_length=50)] = Field(
        default_factory=list, description="Its items, in order."
    )


class ActivityOut(Versioned):
    """An activity as it stands."""

    activity_id: UUID
    organisation_id: UUID
    kind: Kind
    title: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    join_url: str | None
    agenda: list[str]
    status: Literal["scheduled", "closed"]
    closed_at: datetime | None
