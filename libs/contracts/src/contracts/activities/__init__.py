"""Events of activities: what is scheduled, who registered, who took part and how that is known."""

from contracts.activities.activity import ActivityClosedV1, ActivityScheduledV1, ActivityState
from contracts.activities.participation import (
    AttendanceRecordedV1,
    ParticipantRegisteredV1,
    ParticipationState,
)
from contracts.audit import ActivitiesAuditCheckpointedV1

__all__ = [
    "ActivitiesAuditCheckpointedV1",
    "ActivityClosedV1",
    "ActivityScheduledV1",
    "ActivityState",
    "AttendanceRecordedV1",
    "ParticipantRegisteredV1",
    "ParticipationState",
]
