"""What routes of privacy take and give."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from webapi.bodies import Body, Shown


class ExportRequested(Shown):
    """A person's request for all that is known of them."""

    export_id: UUID
    asked_at: datetime
    expires_at: datetime


class PlaceHold(Body):
    """Hold a person's data back from erasure."""

    person_id: UUID
    basis: Annotated[str, Field(min_length=1, max_length=64, description="A basis for which the system has a text.")]
    holds_until: Annotated[date | None, Field(description="The last day; without one, until it is lifted.")] = None


class OwnHoldOut(BaseModel):
    """Why one's own data must stay, and until when."""

    hold_id: UUID
    basis: str
    explanation_zh: str
    explanation_en: str
    placed_at: datetime
    holds_until: date | None


class HoldOut(OwnHoldOut):
    """A legal hold, as those who place holds see it."""

    person_id: UUID
    placed_by: UUID
    lifted_by: UUID | None
    lifted_at: datetime | None


class KeptOut(BaseModel):
    """What stays, and why."""

    duty: str
    kept: list[str]
    explanation_zh: str
    explanation_en: str


class ErasureOut(BaseModel):
    """What an erasure did, or would do.

    `erased`: all of it, everywhere. `kept_by_duty`: only what rested on consent; `kept` says what stays and why.
    """

    outcome: Literal["erased", "kept_by_duty"]
    withdrawn: Annotated[list[str], Field(description="The purposes to which consent ended.")]
    kept: list[KeptOut]
    holds: Annotated[list[OwnHoldOut], Field(description="While one of these holds, nothing is erased.")]
