"""What routes about confirmations take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from identity.challenges.schemas import NumberOfPage
from webapi.bodies import Body, Shown


class ConfirmAccount(Body):
    """The number that the person reads from the page of their first sign-in, or from that of their ways in."""

    number: NumberOfPage


class AccountConfirmed(Shown):
    """An account that is its person's with the password that they choose next: who opened it, who confirmed them."""

    person_id: UUID
    opened_by: UUID | None
    confirmed_by: UUID
    proven_at: Annotated[datetime, Field(description="When they proved it: it is kept once they choose the password.")]
