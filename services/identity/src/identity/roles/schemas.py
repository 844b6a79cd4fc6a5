"""What routes about roles take and give."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from china_time import Day
from contracts import Code
from webapi.bodies import Body, Shown, Versioned


class RoleOut(Shown):
    """A role and what it permits."""

    role: str
    title_zh: str
    title_en: str
    permissions: list[str]
    privileged: Annotated[
        bool,
        Field(description="It takes two people; one that opens files takes them at county level and above."),
    ]
    delegable: Annotated[bool, Field(description="Its holder may hand it on, below where they hold it.")]
    granted_by: Annotated[list[str], Field(description="The roles whose holders may grant it.")]
    version: int


class RoleList(BaseModel):
    """All roles there are; they are few."""

    items: Annotated[list[RoleOut], Field(max_length=200)]


class GrantRole(Body):
    """A role to give to a person on an organisation and all below it; both days are included."""

    assignment_id: UUID | None = None
    person_id: UUID
    role: Code
    organisation_id: UUID
    valid_from: Annotated[Day | None, Field(description="The first day; today when it is left out.")] = None
    valid_until: Annotated[Day | None, Field(description="The last day; no end when it is left out.")] = None


class HandOnRole(Body):
    """To whom one's own role is delegated, where and for how long: all of it, where it is left out."""

    assignment_id: UUID | None = None
    person_id: UUID
    organisation_id: Annotated[UUID | None, Field(description="Where one holds the role oneself, or below.")] = None
    valid_from: Annotated[Day | None, Field(description="Not before one's own first day.")] = None
    valid_until: Annotated[Day | None, Field(description="Not after one's own last day.")] = None


Status = Literal["proposed", "granted", "refused", "lapsed", "withdrawn", "ended"]
"""How an assignment stands; it holds only while it is granted, and on its days."""


class RoleAssignmentOut(Versioned):
    """Who holds, or is to hold, which role on which organisation, from when to when, and who said so."""

    assignment_id: UUID
    person_id: UUID
    role: str
    organisation_id: UUID
    valid_from: date
    valid_until: date | None
    status: Status
    delegated_from: Annotated[UUID | None, Field(description="The assignment it was handed on from; it ends with it.")]
    granted_by: Annotated[UUID | None, Field(description="Who granted, proposed or handed it on.")]
    granted_at: datetime
    proposed_until: Annotated[datetime | None, Field(description="Until when a second person has to decide.")]
    decided_by: Annotated[UUID | None, Field(description="The second person, who approved or refused it.")]
    decided_at: datetime | None
    ended_at: datetime | None
    version: Annotated[
        int,
        Field(
            validation_alias="changes",
            description="Rises as it is decided on and ends; the ETag too, and good for If-Match.",
        ),
    ]
