"""Events of one person's study of one lesson: how far they came, and where they ask for help."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event


class LessonState(Event):
    """Where one person stands with one lesson: the furthest point reached, and whether help is wanted.

    `progress` is a percentage that only grows; time spent is never counted. `affiliation_id` is the learner's own
    branch, or nothing for someone without one. `understood` is nothing until the learner says so.
    `asked_organisation_id` is the organisation whose help the learner waits for, nothing while none is asked; events
    from before it was published lack it.
    """

    aggregate: ClassVar[str] = "lesson_study"
    identified_by: ClassVar[str] = "study_id"

    study_id: UUID
    person_id: UUID
    course_id: UUID
    lesson_id: UUID
    affiliation_id: UUID | None
    progress: Annotated[int, Field(ge=0, le=100)]
    completed: bool
    understood: bool | None = None
    asked_organisation_id: UUID | None = None


class LessonProgressedV1(LessonState):
    """A learner came further in a lesson."""

    type: ClassVar[str] = "xiangqiao.learning.lesson_study.progressed.v1"


class UnderstandingReportedV1(LessonState):
    """A learner said "understood" or "need help"."""

    type: ClassVar[str] = "xiangqiao.learning.lesson_study.understanding_reported.v1"


class LessonStudyWithdrawnV1(Event):
    """A restore lost this study, as its lesson; without these ids nobody could find what they kept of it."""

    type: ClassVar[str] = "xiangqiao.learning.lesson_study.withdrawn.v1"
    aggregate: ClassVar[str] = "lesson_study"
    identified_by: ClassVar[str] = "study_id"

    study_id: UUID
    person_id: UUID
    course_id: UUID
    lesson_id: UUID
