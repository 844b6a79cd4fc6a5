"""What is told of studies anew; one that a restore lost is adopted, and its call for help counted."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.learning import LessonProgressedV1, LessonState, LessonStudyWithdrawnV1, UnderstandingReportedV1
from learning.courses.queries import edition_for
from learning.courses.tables import Course, Lesson
from learning.study.commands import ask_of, begin, finish_edition
from learning.study.tables import LessonStudy
from messaging import Received, Telling, Told


def _tell(study: LessonStudy) -> Telling:
    event = LessonProgressedV1 if study.said_at is None else UnderstandingReportedV1
    times = (study.started_at, study.completed_at, study.said_at, study.asked_at)
    return Telling(event.model_validate(study, from_attributes=True), study.version, max(filter(None, times)))


async def adopt(session: AsyncSession, lost: Sequence[Received[LessonState]]) -> Collection[UUID]:
    """Take over how far people came and what they said, at the event's time; not of lessons that are lost too."""
    return [each.event.study_id for each in lost if await _is_adopted(session, each)]


async def _is_adopted(session: AsyncSession, lost: Received[LessonState]) -> bool:
    told, at = lost.event, lost.time
    of_lesson = (
        select(Course.organisation_id, edition_for(told.person_id))
        .join(Lesson)
        .where(Lesson.lesson_id == told.lesson_id)
    )
    course = (await session.execute(of_lesson)).one_or_none()
    if course is None:
        return False
    publisher, edition = course
    begun = {"person_id": told.person_id, "course_id": told.course_id, "started_at": at}
    study = await begin(session, begun, edition, study_id=told.study_id, lesson_id=told.lesson_id)
    if study.study_id != told.study_id:
        return False
    asked = (told.asked_organisation_id or told.affiliation_id or publisher) if told.understood is False else None
    if study.asked_organisation_id != asked:
        await ask_of(session, study, asked, at=at)
    if told.understood not in (None, study.understood):
        study.said_at = at
    study.understood, study.affiliation_id = told.understood, told.affiliation_id
    study.progress, study.version = told.progress, lost.version
    if told.completed and study.completed_at is None:
        study.completed_at = at
        await session.flush()
        await finish_edition(session, told.course_id, edition, person_id=told.person_id, now=at)
    return True


TOLD = Told(
    LessonState, select(LessonStudy), LessonStudy.study_id, _tell, withdrawn=LessonStudyWithdrawnV1, adopt=adopt
)
