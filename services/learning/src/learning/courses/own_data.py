"""What a person gets of the courses they began, and of those they published in office."""

from privacy import Told

_ENROLMENTS = """
select enrolled.course_id, enrolled.edition, published.title, enrolled.started_at, enrolled.finished_at
from enrolment enrolled join course_edition published using (course_id, edition)
where enrolled.person_id = $1 order by enrolled.started_at, enrolled.course_id
"""
_PUBLISHED = """
select course_id, edition, title, published_at from course_edition
where published_by = $1 order by published_at, course_id
"""

OWN_DATA = Told(enrolments=_ENROLMENTS, published_in_office=_PUBLISHED)
