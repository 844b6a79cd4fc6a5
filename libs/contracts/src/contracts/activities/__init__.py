"""Events of activities: what is scheduled, who registered, who took part and how that is known."""

from contracts.activities.activity import ActivityClosedV1 as ActivityClosedV1
from contracts.activities.activity import ActivityScheduledV1 as ActivityScheduledV1
from contracts.activities.activity import ActivityState as ActivityState
from contracts.activities.participation import AttendanceRecordedV1 as AttendanceRecordedV1
from contracts.activities.participation import ParticipantRegisteredV1 as ParticipantRegisteredV1
from contracts.activities.participation import ParticipationState as ParticipationState
from contracts.audit import ActivitiesAuditCheckpointedV1 as ActivitiesAuditCheckpointedV1
