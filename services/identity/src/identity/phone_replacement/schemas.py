"""What routes about phone replacements take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from webapi.bodies import Body

Status = Literal["proposed", "confirmed", "approved", "objected", "completed", "lapsed"]


class ProposePhone(Body):
    """A new number for a person who has come in person, with the phone that has it."""

    person_id: UUID
    phone: Annotated[str, Field(min_length=11, max_length=32, description="A mainland mobile number.")]


class ConfirmNewPhone(Body):
    """The code that came to the new number."""

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


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
