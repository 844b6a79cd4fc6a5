"""The command on courses: publish an edition."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from contracts.learning import CoursePublishedV1
from database import insert_new
from learning.courses.rules import Draft, check_follows, check_lessons
from learning.courses.tables import Course, CourseEdition, EditionLesson, Lesson
from messaging import Publication, append


class CourseUnknown(Exception):
    """There is no such course, or none that the caller may see."""


class CourseIdTaken(Exception):
    """The id brought for a course belongs to another one, or the edition was published with other content."""


class LessonIdTaken(Exception):
    """The id brought for a lesson belongs to another course."""


async def publish_edition(
    session: AsyncSession,
    *,
    course_id: UUID,
    edition: int,
    organisation_id: UUID,
    title: str,
    lessons: Sequence[Draft],
    by: audit.Actor,
    now: datetime,
) -> None:
    """Publish an edition of a course for everyone at and below an organisation; the same again changes nothing.

    Raises `orgtree.OutsideRemit`, `LessonTwice`, `LessonEmpty`, `CourseIdTaken`, `EditionOutOfOrder` and
    `LessonIdTaken`.
    """
    await orgtree.require_within(session, organisation_id, by.remit)
    check_lessons(lessons)
    await insert_new(session, Course, {"course_id": course_id, "organisation_id": organisation_id, "edition": 0})
    course = await session.get_one(Course, course_id, with_for_update=True)
    if course.organisation_id != organisation_id:
        raise CourseIdTaken
    if edition <= course.edition:
        if not await _is_same(session, course_id, edition, title, lessons):
            raise CourseIdTaken
        return
    check_follows(edition, course.edition)
    course.edition = edition
    await session.flush()
    await _write(session, course_id, edition, title, lessons, person_id=by.person_id, now=now)
    event = CoursePublishedV1(
        course_id=course_id,
        organisation_id=organisation_id,
        edition=edition,
        title=title,
        lesson_ids=tuple(lesson.lesson_id for lesson in lessons),
        published_at=now,
    )
    await append(session, [Publication(event, edition, by.origin)])
    entry = by.entry("learning.course.published", object_id=course_id, organisation_id=organisation_id)
    await audit.record(session, entry, now=now)


async def _write(
    session: AsyncSession,
    course_id: UUID,
    edition: int,
    title: str,
    lessons: Sequence[Draft],
    *,
    person_id: UUID,
    now: datetime,
) -> None:
    ids = sorted(lesson.lesson_id for lesson in lessons)
    rows = [{"lesson_id": lesson_id, "course_id": course_id} for lesson_id in ids]
    await session.execute(postgresql.insert(Lesson).values(rows).on_conflict_do_nothing())
    elsewhere = select(Lesson.lesson_id).where(Lesson.lesson_id.in_(ids), Lesson.course_id != course_id).limit(1)
    if await session.scalar(elsewhere) is not None:
        raise LessonIdTaken
    published = {"course_id": course_id, "edition": edition}
    await session.execute(
        insert(CourseEdition).values(**published, title=title, published_by=person_id, published_at=now)
    )
    listed = [{**published, **lesson.content, "position": position} for position, lesson in enumerate(lessons, start=1)]
    await session.execute(insert(EditionLesson).values(listed))


async def _is_same(session: AsyncSession, course_id: UUID, edition: int, title: str, lessons: Sequence[Draft]) -> bool:
    """Say whether an edition was published with just this content."""
    held = await session.get_one(CourseEdition, (course_id, edition))
    content = select(EditionLesson).where(EditionLesson.course_id == course_id, EditionLesson.edition == edition)
    rows = (await session.scalars(content.order_by(EditionLesson.position))).all()
    return (
        held.title == title
        and len(rows) == len(lessons)
        and all(
            lesson.same_as(Draft(row.lesson_id, True, row.title, row.kind, row.body, row.url))
            for lesson, row in zip(lessons, rows, strict=True)
        )
    )
