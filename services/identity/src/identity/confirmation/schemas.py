"""What routes about confirmations take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from webapi.bodies import Body, Shown
from webapi.validation import worded


class ConfirmAccount(Body):
    """The number that the person reads from the page of their first sign-in."""

    number: Annotated[
        str,
        Field(
            pattern=worded(
                r"^[0-9]{4} ?[0-9]{4}$",
                en="These must be the eight digits on the page of the first sign-in.",
                zh="请填写首次登录页面上的 8 位号码。",
            )
        ),
    ]


class AccountConfirmed(Shown):
    """An account that is its person's with the password that they choose next: who opened it, who confirmed them."""

    person_id: UUID
    opened_by: UUID | None
    confirmed_by: UUID
    proven_at: datetime
