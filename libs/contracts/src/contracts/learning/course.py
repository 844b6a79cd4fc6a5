"""Event of a course: what there is to learn."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.envelope import Event


class CoursePublishedV1(Event):
    """A version of a course can be learned from now on by everyone at and below the organisation."""

    type: ClassVar[str] = "xiangqiao.learning.course.published.v1"
    aggregate: ClassVar[str] = "course"
    identified_by: ClassVar[str] = "course_id"

    course_id: UUID
    organisation_id: UUID
    edition: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    lesson_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
    published_at: AwareDatetime


class CourseWithdrawnV1(Event):
    """A restore lost this course: learning knows no such one, and whoever was told of it forgets it."""

    type: ClassVar[str] = "xiangqiao.learning.course.withdrawn.v1"
    aggregate: ClassVar[str] = "course"
    identified_by: ClassVar[str] = "course_id"

    course_id: UUID
