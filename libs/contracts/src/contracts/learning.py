"""Events of learning: what there is to learn, how far people came, and where they ask for help."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.audit import AuditChainState
from contracts.envelope import Event


class CoursePublishedV1(Event):
    """A version of a course can be learned from now on by everyone at and below the organisation."""

    type: ClassVar[str] = "xiangqiao.learning.course.published.v1"
    aggregate: ClassVar[str] = "course"

    course_id: UUID
    organisation_id: UUID
    edition: Annotated[int, Field(ge=1)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    lesson_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=200)]
    published_at: AwareDatetime

    @property
    def aggregate_id(self) -> UUID:
        """The course's id."""
        return self.course_id


class LessonState(Event):
    """Where one person stands with one lesson: the furthest point reached, and whether help is wanted.

    `progress` is a percentage that only grows; time spent is never counted. `affiliation_id` is the learner's own
    branch, or nothing for someone without one. `understood` is nothing until the learner says so.
    `asked_organisation_id` is the organisation whose help the learner waits for, nothing while none is asked; events
    from before it was published lack it.
    """

    aggregate: ClassVar[str] = "lesson_study"

    study_id: UUID
    person_id: UUID
    course_id: UUID
    lesson_id: UUID
    affiliation_id: UUID | None
    progress: Annotated[int, Field(ge=0, le=100)]
    completed: bool
    understood: bool | None = None
    asked_organisation_id: UUID | None = None

    @property
    def aggregate_id(self) -> UUID:
        """The id of this person's study of this lesson."""
        return self.study_id


class LessonProgressedV1(LessonState):
    """A learner came further in a lesson."""

    type: ClassVar[str] = "xiangqiao.learning.lesson_study.progressed.v1"


class UnderstandingReportedV1(LessonState):
    """A learner said "understood" or "need help"."""

    type: ClassVar[str] = "xiangqiao.learning.lesson_study.understanding_reported.v1"


class LearningAuditCheckpointedV1(AuditChainState):
    """The audit of learning has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.learning.audit_chain.checkpointed.v1"
