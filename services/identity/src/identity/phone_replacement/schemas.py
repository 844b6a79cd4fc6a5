"""What routes about phone replacements take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from identity.challenges.schemas import SixDigits
from webapi.bodies import Body, Phone

Status = Literal["proposed", "confirmed", "approved", "objected", "completed", "lapsed"]


class ProposePhone(Body):
    """A new number for a person who has come in person, with the phone that has it."""

    person_id: UUID
    phone: Phone


class ConfirmNewPhone(Body):
    """The code that came to the new number."""

    code: SixDigits


class PhoneReplacementOut(BaseModel):
    """A replacement: of whose phone, how far it is, and when the new number counts."""

    replacement_id: UUID
    person_id: UUID
    organisation_id: UUID
    status: Status
    ends_in: Annotated[str | None, Field(description="The end of the new number, as long as it is under way.")]
    proposed_by: UUID
    approved_by: UUID | None
    proposed_at: datetime
    confirmed_at: datetime | None
    approved_at: datetime | None
    ready_at: datetime | None
    objected_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime
