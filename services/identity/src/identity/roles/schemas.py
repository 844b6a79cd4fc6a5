"""What routes about roles take and give."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts import Code
from identity.roles.rules import Day


class RoleOut(BaseModel):
    """A role and what it permits."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    title_zh: str
    title_en: str
    permissions: list[str]
    version: int


class RoleList(BaseModel):
    """All roles there are; they are few."""

    items: Annotated[list[RoleOut], Field(max_length=200)]


class GrantRole(BaseModel):
    """A role to give to a person on an organisation and all below it; both days are included."""

    model_config = ConfigDict(extra="forbid")

    assignment_id: UUID | None = None
    person_id: UUID
    role: Code
    organisation_id: UUID
    valid_from: Annotated[Day | None, Field(description="The first day; today when it is left out.")] = None
    valid_until: Annotated[Day | None, Field(description="The last day; no end when it is left out.")] = None


class RoleAssignmentOut(BaseModel):
    """Who holds which role on which organisation, from when to when, and who said so."""

    model_config = ConfigDict(from_attributes=True)

    assignment_id: UUID
    person_id: UUID
    role: str
    organisation_id: UUID
    valid_from: date
    valid_until: date | None
    granted_by: UUID | None
    granted_at: datetime
    ended_at: datetime | None
