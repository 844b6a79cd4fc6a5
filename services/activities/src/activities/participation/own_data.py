"""What a person gets of their part in activities, and of who reported it."""

from privacy import Told

_PARTICIPATIONS = """
select part.participation_id, part.activity_id, held.title, held.kind, held.organisation_id, held.starts_at,
       held.ends_at, part.affiliation_id, part.registered_at, part.attended_at, part.mode, part.provenance
from participation part join activity held using (activity_id)
where part.person_id = $1 order by held.starts_at, part.activity_id
"""
_REPORTS = """
select part.activity_id, report.source, report.mode, report.attended_at, report.reported_at,
       report.reported_by = $1 as reported_by_oneself
from attendance_report report join participation part using (participation_id)
where part.person_id = $1 order by report.reported_at, part.activity_id
"""

OWN_DATA = Told(participations=_PARTICIPATIONS, attendance_reports=_REPORTS)
