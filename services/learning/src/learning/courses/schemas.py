"""Bodies and answers about courses and their lessons."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from learning.courses.rules import LessonKind

Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Url = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?$")]

Body = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]


class LessonToPublish(BaseModel):
    """A lesson of an edition: a text has its body here, audio and video are at `url`, a quiz has either."""

    model_config = ConfigDict(extra="forbid")

    lesson_id: UUID | None = Field(None, description="That of the lesson in the edition before, or a new one.")
    title: Title
    kind: LessonKind
    body: Body | None = None
    url: Url | None = None


class PublishCourse(BaseModel):
    """An edition of a course. Bring `course_id` to be able to send it again safely, and for a later edition."""

    model_config = ConfigDict(extra="forbid")

    course_id: UUID | None = None
    edition: Annotated[int, Field(ge=1, le=10_000)] = 1
    organisation_id: UUID
    title: Title
    lessons: Annotated[list[LessonToPublish], Field(min_length=1, max_length=200)]


class LessonInCourse(BaseModel):
    """A lesson as the course lists it."""

    model_config = ConfigDict(from_attributes=True)

    lesson_id: UUID
    position: int
    title: str
    kind: LessonKind


class LessonOut(LessonInCourse):
    """A lesson of the edition one is learning."""

    course_id: UUID
    edition: int
    body: str | None
    url: str | None


class CourseSummary(BaseModel):
    """A course in its newest edition."""

    model_config = ConfigDict(from_attributes=True)

    course_id: UUID
    organisation_id: UUID
    edition: int
    title: str
    published_at: datetime


class CourseOut(CourseSummary):
    """An edition of a course: the one the caller is learning, otherwise the newest."""

    newest_edition: int
    lessons: list[LessonInCourse]
