"""Read of a person's own standing with a lesson."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from learning.courses.queries import one_lesson
from learning.study.schemas import StudyOut
from learning.study.tables import LessonStudy


async def own_study(session: AsyncSession, lesson_id: UUID, *, person_id: UUID, remit: Collection[UUID]) -> StudyOut:
    """Give where a person stands with a lesson, also before they began it; raises `LessonUnknown`."""
    found = select(LessonStudy).where(LessonStudy.person_id == person_id, LessonStudy.lesson_id == lesson_id)
    study = await session.scalar(found)
    if study is not None:
        return shown(study)
    lesson = await one_lesson(session, lesson_id, person_id=person_id, remit=remit)
    return StudyOut(
        lesson_id=lesson_id,
        course_id=lesson.course_id,
        progress=0,
        completed=False,
        understanding=None,
        help_asked_at=None,
    )


def shown(study: LessonStudy) -> StudyOut:
    """Give a study as its learner sees it."""
    words: dict[bool, Literal["understood", "need_help"]] = {True: "understood", False: "need_help"}
    return StudyOut(
        lesson_id=study.lesson_id,
        course_id=study.course_id,
        progress=study.progress,
        completed=study.completed_at is not None,
        understanding=None if study.understood is None else words[study.understood],
        help_asked_at=study.asked_at,
    )
