"""What routes about one's own account take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from identity.challenges.schemas import SixDigits
from webapi.bodies import Body, Phone


class RoleHeld(BaseModel):
    """A role held today."""

    role: str
    organisation_id: UUID


class Me(BaseModel):
    """The person who is acting, and the roles they hold today."""

    person_id: UUID
    username: str | None
    roles: list[RoleHeld]


class ChangePassword(Body):
    """A new password, with the one that it replaces."""

    old_password: Annotated[SecretStr, Field(min_length=1, max_length=128)]
    new_password: Annotated[SecretStr, Field(min_length=8, max_length=128)]


class PhoneToConfirm(Body):
    """A phone number to sign in with; it gets a code."""

    phone: Phone


class CodeSent(BaseModel):
    """A code was sent; it comes back with the challenge's id before it expires."""

    challenge_id: UUID
    expires_at: datetime


class ConfirmPhone(Body):
    """The code that came to the phone."""

    challenge_id: UUID
    code: SixDigits


class OwnPhone(BaseModel):
    """The end of the number that is on file now."""

    ends_in: str
