"""Bodies and answers about responsibilities."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from china_time import Day
from contracts import Code
from webapi.bodies import Body, Shown


class AssignResponsibility(Body):
    """From `valid_from` on, `responsible_id` answers cases of the category from a place and all below it."""

    responsibility_id: UUID | None = None
    category: Code
    organisation_id: UUID = Field(description="The place; a category begins with the root of the tree.")
    responsible_id: UUID
    working_days: Annotated[int, Field(ge=1, le=90, description="Until the answer is due.")]
    valid_from: Day


class ResponsibilityOut(Shown):
    """Who answers which cases from where, from when on, and within how many working days."""

    responsibility_id: UUID
    category: str
    organisation_id: UUID
    responsible_id: UUID
    working_days: int
    valid_from: date
