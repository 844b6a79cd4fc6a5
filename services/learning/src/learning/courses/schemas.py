"""Bodies and answers about courses and their lessons."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from learning.courses.rules import LessonKind
from webapi.bodies import WORDS, Body, HttpsUrl, Line, Shown

Content = Annotated[str, StringConstraints(max_length=10_000), WORDS]


class LessonToPublish(Body):
    """A lesson of an edition: a text has its body here, audio and video are at `url`, a quiz has either."""

    lesson_id: UUID | None = Field(None, description="That of the lesson in the edition before, or a new one.")
    title: Line
    kind: LessonKind
    body: Content | None = None
    url: HttpsUrl | None = None


class PublishCourse(Body):
    """An edition of a course. Bring `course_id` to be able to send it again safely, and for a later edition."""

    course_id: UUID | None = None
    edition: Annotated[int, Field(ge=1, le=10_000)] = 1
    organisation_id: UUID
    title: Line
    lessons: Annotated[list[LessonToPublish], Field(min_length=1, max_length=200)]


class LessonInCourse(Shown):
    """A lesson as the course lists it."""

    lesson_id: UUID
    position: int
    title: str
    kind: LessonKind


class LessonSummary(LessonInCourse):
    """A lesson of the edition one is learning, without its content."""

    course_id: UUID
    edition: int


class LessonOut(LessonSummary):
    """A lesson of the edition one is learning."""

    body: str | None
    url: str | None


class CourseSummary(Shown):
    """A course in its newest edition."""

    course_id: UUID
    organisation_id: UUID
    edition: int
    title: str
    published_at: datetime


class CourseOut(CourseSummary):
    """An edition of a course: the one the caller is learning, otherwise the newest."""

    newest_edition: int
    lessons: list[LessonInCourse]
