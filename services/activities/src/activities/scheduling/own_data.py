"""What a person gets of the activities they set down or closed in office."""

from privacy import Told

_IN_OFFICE = """
select activity_id, title, organisation_id, scheduled_by = $1 as scheduled, scheduled_at,
       coalesce(closed_by = $1, false) as closed, closed_at
from activity where scheduled_by = $1 or closed_by = $1 order by scheduled_at, activity_id
"""

OWN_DATA = Told(set_down_in_office=_IN_OFFICE)
