"""What is told of activities anew: title, agenda and place are here alone, so one that is lost is withdrawn."""

from sqlalchemy import select

from activities.scheduling.tables import Activity
from contracts.activities import ActivityClosedV1, ActivityScheduledV1, ActivityState, ActivityWithdrawnV1
from messaging import Telling, Told


def _tell(activity: Activity) -> Telling:
    event = ActivityClosedV1 if activity.status == "closed" else ActivityScheduledV1
    state = event.model_validate(activity, from_attributes=True)
    return Telling(state, activity.version, activity.closed_at or activity.scheduled_at)


TOLD = Told(ActivityState, select(Activity), Activity.activity_id, _tell, withdrawn=ActivityWithdrawnV1)
