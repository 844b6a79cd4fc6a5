"""What routes about accounts take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from webapi.bodies import Body, Phone


class OpenAccount(Body):
    """An account to open; `person_id` is brought when the person is known elsewhere already, e.g. as a member."""

    person_id: UUID | None = None
    organisation_id: Annotated[UUID, Field(description="The organisation that opens the account.")]
    username: Annotated[str, Field(min_length=3, max_length=64)]
    password: Annotated[SecretStr, Field(min_length=8, max_length=128, description="The first password.")]
    phone: Annotated[Phone | None, Field(description="A mainland mobile number nobody else has here.")] = None


class AccountOpened(BaseModel):
    """An account that was opened."""

    person_id: UUID
    username: str
    organisation_id: UUID
    opened_at: datetime
