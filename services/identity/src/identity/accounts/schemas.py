"""What routes about accounts take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from webapi.bodies import Body


class OpenAccount(Body):
    """An account to open; `person_id` is brought when the person is known elsewhere already, e.g. as a member."""

    person_id: UUID | None = None
    organisation_id: Annotated[UUID, Field(description="The organisation that opens the account.")]
    username: Annotated[str, Field(min_length=3, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=8, max_length=128, description="The first password.")]
    phone: Annotated[
        str | None, Field(min_length=11, max_length=32, description="A mainland mobile number nobody else has here.")
    ] = None


class AccountOpened(BaseModel):
    """An account that was opened."""

    person_id: UUID
    username: str
    organisation_id: UUID
    opened_at: datetime


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

    phone: Annotated[str, Field(min_length=11, max_length=32, description="A mainland mobile number.")]


class CodeSent(BaseModel):
    """A code was sent; it comes back with the challenge's id before it expires."""

    challenge_id: UUID
    expires_at: datetime


class ConfirmPhone(Body):
    """The code that came to the phone."""

    challenge_id: UUID
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class OwnPhone(BaseModel):
    """The end of the number that is on file now."""

    ends_in: str
