"""Bodies and answers about studying a lesson."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from china_time import Moment
from learning.study.rules import Understanding
from webapi.bodies import Body, Versioned


class ReportProgress(Body):
    """How far the learner has come in the lesson, in percent."""

    progress: Annotated[int, Field(ge=0, le=100)]


class ReportUnderstanding(Body):
    """Whether the learner understood the lesson or needs help with it."""

    understanding: Understanding
    acted_at: Moment | None = Field(None, description="When they said it, if it is sent later; otherwise now.")


class StudyOut(Versioned):
    """Where the caller stands with a lesson; `understanding` is null until they say, `version` 0 until they begin."""

    lesson_id: UUID
    course_id: UUID
    progress: int
    completed: bool
    understanding: Understanding | None
    help_asked_at: datetime | None
