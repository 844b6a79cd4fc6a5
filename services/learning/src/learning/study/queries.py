"""Read of a person's own standing with a lesson."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from learning.courses.queries import one_lesson
from learning.study.rules import Understanding
from learning.study.schemas import StudyOut
from learning.study.tables import LessonStudy


async def own_study(session: AsyncSession, lesson_id: UUID, *, person_id: UUID, remit: Collection[UUID]) -> StudyOut:
    """Give where a person stands with a lesson, also before they began it; raises `LessonUnknown`."""
    found = select(LessonStudy).where(LessonStudy.person_id == person_id, LessonStudy.lesson_id == lesson_id)
    study = await session.scalar(found)
    if study is not None:
        return shown(study)
    lesson = await one_lesson(session, lesson_id, person_id=person_id, remit=remit)
    return shown(LessonStudy(lesson_id=lesson_id, course_id=lesson.course_id, progress=0, version=0))


def shown(study: LessonStudy) -> StudyOut:
    """Give a study as its learner sees it."""
    words: dict[bool, Understanding] = {True: "understood", False: "need_help"}
    return StudyOut(
        lesson_id=study.lesson_id,
        course_id=study.course_id,
        progress=study.progress,
        completed=study.completed,
        understanding=None if study.understood is None else words[study.understood],
        help_asked_at=study.asked_at,
        version=study.version,
    )
