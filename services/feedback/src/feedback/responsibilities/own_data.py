"""What a person gets of the responsibilities they assigned in office."""

from privacy import Told

_ASSIGNED = """
select responsibility_id, category, organisation_id, responsible_id, working_days, valid_from, assigned_at
from responsibility where assigned_by = $1 order by assigned_at, responsibility_id
"""

OWN_DATA = Told(assigned_in_office=_ASSIGNED)
