"""Events of activities: what is scheduled, who registered, who took part and how that is known."""

from contracts.activities.activity import *
from contracts.activities.participation import *
from contracts.audit import ActivitiesAuditCheckpointedV1 as ActivitiesAuditCheckpointedV1
