"""Tables of courses, their editions and lessons, and who is learning which edition."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table
from learning.courses.rules import LessonKind


class Course(Table):
    """A course of one organisation; `edition` is its newest, and counts its events, one for each edition."""

    __table_args__ = (Index("ix_course_organisation_id", "organisation_id"),)

    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    edition: Mapped[int]


class CourseEdition(Table):
    """One edition of a course, as it was published. Never changed."""

    __table_args__ = (Index("ix_course_edition_published_at", "published_at", "course_id"),)

    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    published_by: Mapped[UUID]
    published_at: Mapped[datetime]


class Lesson(Table):
    """A lesson belongs to one course for good; what it says is of an edition."""

    lesson_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(ForeignKey("course.course_id"), index=True)


class EditionLesson(Table):
    """What a lesson is called and contains in one edition. Never changed."""

    __table_args__ = (
        ForeignKeyConstraint(["course_id", "edition"], ["course_edition.course_id", "course_edition.edition"]),
        UniqueConstraint("course_id", "edition", "position"),
        CheckConstraint("kind in ('text', 'audio', 'video', 'quiz')", name="kind_known"),
    )

    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.lesson_id"), primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    kind: Mapped[LessonKind] = mapped_column(Text)
    body: Mapped[str | None]
    url: Mapped[str | None]


class Enrolment(Table):
    """A person is learning, or has finished, an edition of a course; at most one edition is unfinished at a time."""

    __table_args__ = (
        ForeignKeyConstraint(["course_id", "edition"], ["course_edition.course_id", "course_edition.edition"]),
        Index(
            "uq_enrolment_unfinished",
            "person_id",
            "course_id",
            unique=True,
            postgresql_where=text("finished_at is null"),
        ),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
