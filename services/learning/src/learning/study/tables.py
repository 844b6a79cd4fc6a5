"""Table of lesson studies: one row per person and lesson."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from database import Table


class LessonStudy(Table):
    """Where a person stands with a lesson; `version` counts its events. Time spent is not kept.

    `said_at` is when the last word on understanding was said, which may be long before it came.
    `affiliation_id` is the learner's branch when they last did something. `asked_organisation_id` is the organisation
    whose help was asked for, while the request is open: the learner's branch, or for someone without one the
    organisation that publishes the course.
    """

    __table_args__ = (
        UniqueConstraint("person_id", "lesson_id"),
        CheckConstraint("progress between 0 and 100", name="progress_is_a_percentage"),
        CheckConstraint("(asked_at is null) = (understood is not false)", name="asked_when_help_is_needed"),
        CheckConstraint("(asked_at is null) = (asked_organisation_id is null)", name="asked_of_an_organisation"),
        Index(
            "ix_lesson_study_open_requests",
            "asked_organisation_id",
            "lesson_id",
            "asked_at",
            "person_id",
            postgresql_where=text("asked_at is not null"),
        ),
    )

    study_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey("lesson.lesson_id"))
    course_id: Mapped[UUID]
    affiliation_id: Mapped[UUID | None]
    progress: Mapped[int]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    understood: Mapped[bool | None]
    said_at: Mapped[datetime | None]
    asked_organisation_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]
    version: Mapped[int]

    @property
    def completed(self) -> bool:
        """Whether the person came to the end of the lesson."""
        return self.completed_at is not None
