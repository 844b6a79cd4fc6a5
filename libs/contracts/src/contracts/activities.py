"""Events of activities: what is scheduled, who registered, who took part and how that is known."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.audit import AuditChainState
from contracts.envelope import Code, Event

Provenance = Literal["online", "paper", "qr", "helper", "late_sync"]
ParticipationMode = Literal["in_person", "remote"]


class ActivityState(Event):
    """One meeting or activity of an organisation; its title and agenda stay in the service."""

    aggregate: ClassVar[str] = "activity"

    activity_id: UUID
    organisation_id: UUID
    kind: Code
    starts_at: AwareDatetime
    ends_at: AwareDatetime

    @property
    def aggregate_id(self) -> UUID:
        """The activity's id."""
        return self.activity_id


class ActivityScheduledV1(ActivityState):
    """A meeting or activity was set down for a time."""

    type: ClassVar[str] = "xiangqiao.activities.activity.scheduled.v1"


class ActivityClosedV1(ActivityState):
    """The activity is over and its attendance is final."""

    type: ClassVar[str] = "xiangqiao.activities.activity.closed.v1"


class ParticipationState(Event):
    """One person's part in one activity: a single fact, however many sources report it.

    `organisation_id` is the organisation that holds the activity, `affiliation_id` the person's own branch.
    `provenance` lists the sources that reported attendance, in the order they came, each once; `mode` is set once
    the person attended.
    """

    aggregate: ClassVar[str] = "participation"

    participation_id: UUID
    activity_id: UUID
    person_id: UUID
    organisation_id: UUID
    affiliation_id: UUID
    registered: bool
    attended: bool
    mode: ParticipationMode | None = None
    provenance: Annotated[tuple[Provenance, ...], Field(max_length=5)] = ()

    @property
    def aggregate_id(self) -> UUID:
        """The participation's id."""
        return self.participation_id


class ParticipantRegisteredV1(ParticipationState):
    """A person said they will take part."""

    type: ClassVar[str] = "xiangqiao.activities.participation.registered.v1"


class AttendanceRecordedV1(ParticipationState):
    """A person took part, or a further source confirmed that they did."""

    type: ClassVar[str] = "xiangqiao.activities.participation.attended.v1"


class ActivitiesAuditCheckpointedV1(AuditChainState):
    """The audit of activities has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.activities.audit_chain.checkpointed.v1"
