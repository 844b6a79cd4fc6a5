"""Answers about requests for help."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from webapi.bodies import Shown


class HelpNeeded(BaseModel):
    """How many people need help with a lesson, in an organisation and all below it."""

    lesson_id: UUID
    course_id: UUID
    title: str
    people: int | None = Field(description="Null where the figure, or another next to it, could point to fewer than 5.")
    people_here: int | None = Field(
        None, description="Those who asked this very organisation, shown to its own staff alone, who help them."
    )


class PersonInNeed(Shown):
    """Somebody who asked for help with a lesson."""

    person_id: UUID
    asked_at: datetime
