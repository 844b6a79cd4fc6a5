"""What routes about sessions take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.bodies import Body


class SessionOut(BaseModel):
    """One sign-in, of a front end or in a browser alone, as its owner sees it."""

    model_config = ConfigDict(frozen=True)

    session_id: Annotated[UUID, Field(description="The `sid` of its tokens, if it has any.")]
    client_id: Annotated[str | None, Field(description="Null for a sign-in that no client has tokens of.")]
    client_name_zh: str | None
    client_name_en: str | None
    device: Annotated[
        str | None,
        Field(description="The kind of device, in the language asked for, e.g. Chrome on Android; null when unknown."),
    ]
    acr: Annotated[str, Field(description="How strongly the owner proved who they are, 1 to 3.")]
    signed_in_at: datetime
    last_seen_at: Annotated[datetime, Field(description="When it last asked for a token, or signed in, to the minute.")]
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]


class EndSessions(Body):
    """Signing out everywhere: all sessions, or all but the one that asks."""

    keep_current: bool


class SessionsEnded(BaseModel):
    """How many sessions were ended."""

    model_config = ConfigDict(frozen=True)

    ended: int
