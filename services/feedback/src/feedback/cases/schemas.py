"""Bodies and answers about cases."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts import Code
from feedback.cases.rules import CaseStatus

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]


class OpenCase(BaseModel):
    """What a person has to say about a place; bring `case_id` (UUIDv7) to be able to send it again safely."""

    model_config = ConfigDict(extra="forbid")

    case_id: UUID | None = None
    category: Code
    organisation_id: UUID = Field(description="The place it is about.")
    text: Words


class AnswerCase(BaseModel):
    """The answer of the responsible organisation."""

    model_config = ConfigDict(extra="forbid")

    text: Words


class CaseOut(BaseModel):
    """A case as it stands, without what was said."""

    model_config = ConfigDict(from_attributes=True)

    case_id: UUID
    category: str
    organisation_id: UUID
    responsible_id: UUID
    reporter_id: UUID | None
    status: CaseStatus
    opened_at: datetime
    due_at: datetime = Field(description="The end of the last day for an answer.")
    due_provisionally: bool = Field(description="The official calendar of a year it runs over was not announced yet.")
    answered_at: datetime | None
    confirmed_at: datetime | None


class CaseEntryOut(BaseModel):
    """One thing said or done in a case."""

    kind: Literal["opened", "answered", "confirmed"]
    at: datetime
    actor_id: UUID | None
    text: str | None


class CaseWithEntries(CaseOut):
    """A case with all that was said and done, in order."""

    entries: list[CaseEntryOut]
