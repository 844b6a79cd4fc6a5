"""What routes about purposes and consents take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from identity.purposes.rules import Basis
from webapi.bodies import Body, Shown


class GiveConsent(Body):
    """Agree to the text that was shown."""

    text_version: Annotated[int, Field(ge=1, lt=2**31)]


class ConsentOut(BaseModel):
    """A purpose, the text people are asked by, and whether this person agreed to it."""

    purpose: str
    basis: Basis
    text_version: int
    text_zh: str
    text_en: str
    given: Annotated[bool, Field(description="Agreed to the present text.")]
    given_version: int | None
    given_at: datetime | None


class ConsentHistoryOut(Shown):
    """A consent that was given, and when it was withdrawn."""

    consent_id: UUID
    purpose: str
    text_version: int
    given_at: datetime
    withdrawn_at: datetime | None
