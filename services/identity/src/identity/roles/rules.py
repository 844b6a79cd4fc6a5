"""When a role holds: dates are days of the province's official time."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated

from pydantic import AwareDatetime, Field

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time and no summer time, so no zone data is needed."""

Moment = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""A time that people may mean; what lies further away overflows somewhere on its way to the database."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
"""A day that people may mean; what lies further away overflows somewhere on its way to the database."""

MOST_ROLES_HELD = 50
"""Each role takes about 115 characters of an access token, and services refuse a token of more than 8,192."""


class TooManyRoles(Exception):
    """The person holds, or will hold, as many roles as a token can carry."""


class DaysOutOfOrder(Exception):
    """A role assignment would end before it begins, or be over before it is granted."""


class RoleForOneself(Exception):
    """Nobody grants a role to themselves: it takes a second person."""


def day_of(moment: datetime) -> date:
    """Give the official day in which an aware `moment` falls."""
    return moment.astimezone(CHINA).date()


def require_days_in_order(valid_from: date, valid_until: date | None, *, today: date) -> None:
    """Raise `DaysOutOfOrder` unless the last day is neither before the first nor past."""
    if valid_until is not None and (valid_until < valid_from or valid_until < today):
        raise DaysOutOfOrder
