"""Bodies and answers about cases."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from contracts import Code
from feedback.cases.rules import CaseStatus
from webapi.bodies import Body, Versioned, Words


class OpenCase(Body):
    """What a person has to say about a place; bring `case_id` (UUIDv7) to be able to send it again safely."""

    case_id: UUID | None = None
    category: Code
    organisation_id: UUID = Field(description="The place it is about.")
    text: Words


class AnswerCase(Body):
    """The answer of the responsible organisation."""

    text: Words


class CaseOut(Versioned):
    """A case as it stands, without what was said."""

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
