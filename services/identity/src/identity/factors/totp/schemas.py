"""What the routes of one-time passwords take and give."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from webapi.bodies import Body, ShownOnce


class TotpBegun(ShownOnce):
    """A secret for an authenticator app, shown this once: typed in, or as the address a QR code holds."""

    secret: str
    otpauth_uri: str


class ConfirmTotp(Body):
    """The code that the app shows now."""

    code: Annotated[str, Field(min_length=6, max_length=12)]


class RecoveryCodes(ShownOnce):
    """Codes that stand in for the app, each once; shown this once."""

    recovery_codes: list[str]


class TotpStatus(BaseModel):
    """Whether there is an authenticator app, since when, and how many recovery codes are left."""

    set_up: bool
    since: datetime | None
    recovery_codes_left: int
