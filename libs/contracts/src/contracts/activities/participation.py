"""Events of a participation: who registered, who took part and how that is known."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Code, Event


class ParticipationState(Event):
    """One person's part in one activity: a single fact, however many sources report it.

    `organisation_id` is the organisation that holds the activity, `affiliation_id` the person's own branch.
    `provenance` lists the sources that reported attendance, in the order they came, each once; `mode` is set once
    the person attended.
    """

    aggregate: ClassVar[str] = "participation"
    identified_by: ClassVar[str] = "participation_id"

    participation_id: UUID
    activity_id: UUID
    person_id: UUID
    organisation_id: UUID
    affiliation_id: UUID
    registered: bool
    attended: bool
    mode: Code | None = None
    provenance: Annotated[tuple[Code, ...], Field(max_length=20)] = ()


class ParticipantRegisteredV1(ParticipationState):
    """A person said they will take part."""

    type: ClassVar[str] = "xiangqiao.activities.participation.registered.v1"


class AttendanceRecordedV1(ParticipationState):
    """A person took part, or a further source confirmed that they did."""

    type: ClassVar[str] = "xiangqiao.activities.participation.attended.v1"


class ParticipationWithdrawnV1(Event):
    """A restore lost this participation, as its activity; without these ids nobody could find what they kept of it."""

    type: ClassVar[str] = "xiangqiao.activities.participation.withdrawn.v1"
    aggregate: ClassVar[str] = "participation"
    identified_by: ClassVar[str] = "participation_id"

    participation_id: UUID
    activity_id: UUID
    person_id: UUID
