"""What is told of courses anew: their newest edition. What lessons say is here alone, so a lost course is withdrawn."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from contracts.learning import CoursePublishedV1, CourseWithdrawnV1
from learning.courses.tables import Course, CourseEdition, EditionLesson
from messaging import Telling, Told


def _tell(course: Course, edition: CourseEdition, lesson_ids: Sequence[UUID]) -> Telling:
    state = CoursePublishedV1(
        course_id=course.course_id,
        organisation_id=course.organisation_id,
        edition=edition.edition,
        title=edition.title,
        lesson_ids=tuple(lesson_ids),
        published_at=edition.published_at,
    )
    return Telling(state, edition.edition, edition.published_at)


_NEWEST = (Course.course_id == CourseEdition.course_id) & (Course.edition == CourseEdition.edition)
_LESSONS = select(func.array_agg(aggregate_order_by(EditionLesson.lesson_id, EditionLesson.position))).where(
    EditionLesson.course_id == CourseEdition.course_id, EditionLesson.edition == CourseEdition.edition
)
TOLD = Told(
    CoursePublishedV1,
    select(Course, CourseEdition, _LESSONS.scalar_subquery()).join(CourseEdition, _NEWEST),
    Course.course_id,
    _tell,
    withdrawn=CourseWithdrawnV1,
)
