"""Commands on studying: report progress, report understanding."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from contracts import Origin
from contracts.learning import LessonProgressedV1, LessonState, UnderstandingReportedV1
from database import insert_new
from learning.courses.queries import one_lesson
from learning.courses.schemas import LessonOut
from learning.courses.tables import Course, EditionLesson, Enrolment
from learning.study.rules import (
    COMPLETE,
    Understanding,
    Word,
    furthest,
    is_later,
    measure_of,
    time_of_word,
    understood,
)
from learning.study.tables import LessonStudy
from messaging import Publication, append
from webapi import Limit, count_reach
from webapi.versions import Expected

REQUESTS: Final = Limit("help_requests", most=40, window=timedelta(days=1))
"""Of one person: more lessons than anybody studies in a day, and each word taken back and said again."""


async def report_progress(
    session: AsyncSession,
    *,
    study_id: UUID,
    lesson_id: UUID,
    progress: int,
    expected: Expected,
    visible: Collection[UUID],
    by: audit.Actor,
    now: datetime,
) -> LessonStudy:
    """Note how far a person came; less than before changes nothing.

    `study_id` is the id of the study if this begins it, `visible` where the person is staff. Raises `LessonUnknown`.
    """
    lesson, study = await _begun(session, study_id, lesson_id, expected, visible, by=by, now=now)
    reached = furthest(study.progress, progress)
    if study.version and reached == study.progress:
        return study
    completes = reached == COMPLETE and study.completed_at is None
    study.progress, study.affiliation_id = reached, await orgtree.affiliation_of(session, by.person_id)
    if completes:
        study.completed_at = now
    await publish_study(session, LessonProgressedV1, study, by.origin)
    if completes:
        await finish_edition(session, lesson.course_id, lesson.edition, person_id=by.person_id, now=now)
    return study


async def report_understanding(
    session: AsyncSession,
    *,
    study_id: UUID,
    lesson_id: UUID,
    understanding: Understanding,
    said_at: datetime | None = None,
    expected: Expected,
    visible: Collection[UUID],
    by: audit.Actor,
    now: datetime,
) -> LessonStudy:
    """Note that a person understood a lesson or needs help with it; the same word again changes nothing.

    A word that was said before the one that stands changes nothing; `said_at` is now where nobody says it.
    Help is asked of the person's own branch, by someone without one of the organisation that publishes the course.
    `study_id` is the id of the study if this begins it, `visible` where the person is staff. Raises `LessonUnknown`,
    `TooOften` and `SaidInFuture`.
    """
    word = Word(time_of_word(said_at, now), understood(understanding))
    lesson, study = await _begun(session, study_id, lesson_id, expected, visible, by=by, now=now)
    if not is_later(word, study.said_at, understood=study.understood):
        return study
    study.said_at = word.at
    if study.understood is word.understood:
        return study
    study.affiliation_id, asked = await orgtree.affiliation_of(session, by.person_id), None
    study.understood = word.understood
    if not study.understood:
        await count_reach(session, REQUESTS, by.person_id, now=now)
        asked = study.affiliation_id or (await session.get_one(Course, lesson.course_id)).organisation_id
    await ask_of(session, study, asked, at=now)
    await publish_study(session, UnderstandingReportedV1, study, by.origin)
    return study


async def ask_of(session: AsyncSession, study: LessonStudy, organisation_id: UUID | None, *, at: datetime) -> None:
    """Let a study ask this organisation for help, or none, and count that where it asked and where it asks."""
    measure, mark = measure_of(study.lesson_id), await orgtree.mark_of(session, study.person_id)
    changed = ((study.asked_organisation_id, -1), (organisation_id, 1))
    await orgtree.add_deltas(session, [orgtree.Delta(place, measure, n, mark) for place, n in changed if place])
    study.asked_organisation_id, study.asked_at = organisation_id, at if organisation_id else None


async def _begun(
    session: AsyncSession,
    study_id: UUID,
    lesson_id: UUID,
    expected: Expected,
    visible: Collection[UUID],
    *,
    by: audit.Actor,
    now: datetime,
) -> tuple[LessonOut, LessonStudy]:
    """Give the lesson, and the person's study of it, locked; one that this begins has version 0."""
    lesson = await one_lesson(session, lesson_id, person_id=by.person_id, remit=visible)
    begun = {"person_id": by.person_id, "course_id": lesson.course_id, "started_at": now}
    study = await begin(session, begun, lesson.edition, study_id=study_id, lesson_id=lesson_id)
    expected.require(study.version)
    return lesson, study


async def begin(
    session: AsyncSession, begun: Mapping[str, Any], edition: int, *, study_id: UUID, lesson_id: UUID
) -> LessonStudy:
    """Give somebody's study of a lesson, locked, and begin it and the edition where they have not.

    `begun` has `person_id`, `course_id` and `started_at`.
    """
    await insert_new(session, Enrolment, {**begun, "edition": edition})
    new = {"study_id": study_id, **begun, "lesson_id": lesson_id, "progress": 0, "version": 0}
    await insert_new(session, LessonStudy, new)
    mine = (LessonStudy.person_id == begun["person_id"], LessonStudy.lesson_id == lesson_id)
    return (await session.scalars(select(LessonStudy).where(*mine).with_for_update())).one()


async def finish_edition(
    session: AsyncSession, course_id: UUID, edition: int, *, person_id: UUID, now: datetime
) -> None:
    """Mark the edition as finished when this was its last lesson, so that the next one read is the newest."""
    mine = (Enrolment.person_id == person_id, Enrolment.course_id == course_id, Enrolment.edition == edition)
    # Locked before counting: of two last lessons completed at once, the second must see the first.
    found = select(Enrolment).where(*mine, Enrolment.finished_at.is_(None)).with_for_update()
    enrolment = (await session.scalars(found)).one_or_none()
    if enrolment is None:
        return
    completed = select(LessonStudy.lesson_id).where(
        LessonStudy.person_id == person_id, LessonStudy.completed_at.is_not(None)
    )
    remaining = select(func.count()).where(
        EditionLesson.course_id == course_id,
        EditionLesson.edition == edition,
        EditionLesson.lesson_id.not_in(completed),
    )
    if not await session.scalar(remaining):
        enrolment.finished_at = now


async def publish_study(session: AsyncSession, event: type[LessonState], study: LessonStudy, origin: Origin) -> None:
    """Count a change of a study and tell the others how it stands now."""
    study.version += 1
    await session.flush()
    state = event.model_validate(study, from_attributes=True)
    await append(session, [Publication(state, study.version, origin)])
