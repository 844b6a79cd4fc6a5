"""Bodies and answers about studying a lesson."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from learning.study.rules import Understanding


class ReportProgress(BaseModel):
    """How far the learner has come in the lesson, in percent."""

    model_config = ConfigDict(extra="forbid")

    progress: Annotated[int, Field(ge=0, le=100)]


class ReportUnderstanding(BaseModel):
    """Whether the learner understood the lesson or needs help with it."""

    model_config = ConfigDict(extra="forbid")

    understanding: Understanding


class StudyOut(BaseModel):
    """Where the caller stands with a lesson; `understanding` is null until they say."""

    lesson_id: UUID
    course_id: UUID
    progress: int
    completed: bool
    understanding: Understanding | None
    help_asked_at: datetime | None
