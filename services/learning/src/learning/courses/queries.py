"""Reads of courses and lessons: those open to a person, in the edition the person is learning."""

from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import known, narrowed
from learning.courses.commands import CourseUnknown
from learning.courses.schemas import CourseOut, CourseSummary, LessonInCourse, LessonOut, LessonSummary
from learning.courses.tables import Course, CourseEdition, EditionLesson, Enrolment, Lesson
from webapi import Page, PageRequest

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


class LessonUnknown(Exception):
    """There is no such lesson in the edition the person is learning, or none that they may see."""


async def open_to(session: AsyncSession, person_id: UUID, remit: Collection[UUID]) -> ColumnElement[bool]:
    """Give the predicate of the courses a person may learn.

    They are those of the organisations on the way from the person's branch up to the root, for someone without a
    branch those of the root; and those within `remit`, for staff.
    """
    own = await orgtree.affiliation_of(session, person_id)
    path = await orgtree.ancestors_of(session, own) if own is not None else ()
    mine = Course.organisation_id.in_({orgtree.ROOT_ID, *path})
    return or_(mine, orgtree.within(Course.organisation_id, remit)) if remit else mine


def edition_for(person_id: UUID) -> Any:
    """Give, in SQL, the edition of a `Course` for a person: the one begun and not finished, otherwise the newest."""
    begun = (
        select(Enrolment.edition)
        .where(
            Enrolment.person_id == person_id, Enrolment.course_id == Course.course_id, Enrolment.finished_at.is_(None)
        )
        .correlate(Course)
        .scalar_subquery()
    )
    return func.coalesce(begun, Course.edition)


async def list_courses(
    session: AsyncSession,
    page: PageRequest,
    *,
    person_id: UUID,
    remit: Collection[UUID],
    course_ids: list[UUID] | None,
    organisation_id: UUID | None,
) -> Page[CourseSummary]:
    """List the courses open to a person in their newest edition, the latest first."""
    shown = (
        Course.course_id,
        Course.organisation_id,
        Course.edition,
        CourseEdition.title,
        CourseEdition.published_at,
    )
    newest = and_(CourseEdition.course_id == Course.course_id, CourseEdition.edition == Course.edition)
    wanted = select(*shown).join(CourseEdition, newest).where(await open_to(session, person_id, remit))
    wanted = narrowed(wanted, {Course.course_id: course_ids, Course.organisation_id: organisation_id})
    key = (CourseEdition.published_at, CourseEdition.course_id)
    return await page.select(session, wanted, *key, shape=CourseSummary.model_validate, latest_first=True)


async def one_course(session: AsyncSession, course_id: UUID, *, person_id: UUID, remit: Collection[UUID]) -> CourseOut:
    """Give a course in the edition the person is learning; raises `CourseUnknown`."""
    visible = await open_to(session, person_id, remit)
    return await _in_edition(session, edition_for(person_id), Course.course_id == course_id, visible)


async def one_edition(session: AsyncSession, course_id: UUID, edition: int) -> CourseOut:
    """Give an edition of a course, as whoever published it sees it; raises `CourseUnknown`."""
    return await _in_edition(session, edition, Course.course_id == course_id)


async def _in_edition(session: AsyncSession, edition: Any, *conditions: ColumnElement[bool]) -> CourseOut:
    shown = (
        Course.course_id,
        Course.organisation_id,
        CourseEdition.edition,
        Course.edition.label("newest_edition"),
        CourseEdition.title,
        CourseEdition.published_at,
    )
    joined = and_(CourseEdition.course_id == Course.course_id, CourseEdition.edition == edition)
    wanted = select(*shown).join(CourseEdition, joined).where(*conditions)
    row = known((await session.execute(wanted)).one_or_none(), CourseUnknown)
    lessons = (
        select(EditionLesson.lesson_id, EditionLesson.position, EditionLesson.title, EditionLesson.kind)
        .where(EditionLesson.course_id == row.course_id, EditionLesson.edition == row.edition)
        .order_by(EditionLesson.position)
    )
    listed = [LessonInCourse.model_validate(lesson) for lesson in await session.execute(lessons)]
    course = CourseSummary.model_validate(row)
    return CourseOut(**course.model_dump(), newest_edition=row.newest_edition, lessons=listed)


async def list_lessons(
    session: AsyncSession,
    page: PageRequest,
    *,
    person_id: UUID,
    remit: Collection[UUID],
    lesson_ids: list[UUID] | None,
    course_id: UUID | None,
) -> Page[LessonSummary]:
    """List the lessons open to a person by id, each as it stands in the edition the person is learning."""
    shown = (
        EditionLesson.lesson_id,
        EditionLesson.course_id,
        EditionLesson.edition,
        EditionLesson.position,
        EditionLesson.title,
        EditionLesson.kind,
    )
    wanted = _open_lessons(select(*shown), person_id, await open_to(session, person_id, remit))
    wanted = narrowed(wanted, {EditionLesson.lesson_id: lesson_ids, EditionLesson.course_id: course_id})
    return await page.select(session, wanted, EditionLesson.lesson_id, shape=LessonSummary.model_validate)


async def one_lesson(session: AsyncSession, lesson_id: UUID, *, person_id: UUID, remit: Collection[UUID]) -> LessonOut:
    """Give a lesson as it stands in the edition the person is learning; raises `LessonUnknown`."""
    wanted = _open_lessons(select(EditionLesson), person_id, await open_to(session, person_id, remit))
    lesson = known(await session.scalar(wanted.where(EditionLesson.lesson_id == lesson_id)), LessonUnknown)
    return LessonOut.model_validate(lesson)


def _open_lessons(chosen: S, person_id: UUID, visible: ColumnElement[bool]) -> S:
    """Choose of the lessons of visible courses, each as it stands in the edition the person is learning."""
    return (
        chosen.join(Lesson, Lesson.lesson_id == EditionLesson.lesson_id)
        .join(Course, Course.course_id == Lesson.course_id)
        .where(EditionLesson.edition == edition_for(person_id), visible)
    )
