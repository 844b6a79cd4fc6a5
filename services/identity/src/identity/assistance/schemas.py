"""What routes of assisted sessions take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from identity.assistance.rules import Evidence, Status
from webapi.bodies import Body, ShownOnce


class AskToHelp(Body):
    """Ask somebody for their consent to be helped."""

    subject_id: Annotated[UUID, Field(description="The person who is to be helped.")]
    organisation_id: Annotated[UUID, Field(description="The organisation for which the helper helps.")]
    actions: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(
            min_length=1, max_length=50, description="What the helper may do, of `GET /v1/assisted-sessions/actions`."
        ),
    ]
    evidence: Annotated[
        Evidence, Field(description="How the person agrees: by a code to their phone, or before a witness.")
    ]


class ConsentCode(Body):
    """The code that the person told the helper."""

    code: Annotated[SecretStr, Field(min_length=4, max_length=16)]


class AssistedSessionOut(BaseModel):
    """An assisted session, as the person, the helper and the witness see it."""

    model_config = ConfigDict(extra="forbid")

    assist_id: UUID
    subject_id: UUID
    helper_id: UUID
    organisation_id: UUID
    organisation_name: str | None
    actions: list[str]
    evidence: Evidence
    status: Annotated[Status, Field(description="`lapsed`: nobody agreed in time.")]
    asked_at: datetime
    consented_at: datetime | None
    expires_at: datetime | None
    ended_at: datetime | None


class TicketOut(ShownOnce):
    """What the helper exchanges for the token at `/oauth2/token` (RFC 8693), with their own as the actor token."""

    ticket: str
    ticket_type: str
    expires_at: datetime


class ActionOut(BaseModel):
    """One thing somebody can be helped with."""

    action: str
    title_zh: str
    title_en: str
