"""Days and points in time, and the day of China's calendar that a point in time falls on, as pure functions."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticKnownError

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time and no summer time, so no zone data is needed."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _written_out(error: Literal["datetime_type", "date_type"], value: object) -> object:
    """Refuse numbers, as text too: seconds and milliseconds since 1970 look alike."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DAY.match(value)):
        raise PydanticKnownError(error)
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(partial(_written_out, "datetime_type")),
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
]
"""A time that people may mean, in UTC; what lies further away overflows somewhere on its way to the database."""

Day = Annotated[
    date, BeforeValidator(partial(_written_out, "date_type")), Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))
]
"""A day that people may mean; what lies further away overflows somewhere on its way to the database."""


def day_of(moment: datetime) -> date:
    """Give the day of an aware time."""
    return moment.astimezone(CHINA).date()


def first_moment_after(day: date) -> datetime:
    """Give the first moment, in UTC, that is after `day`: what happened on it or earlier lies before."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=CHINA).astimezone(UTC)


def last_second_of(day: date) -> datetime:
    """Give the last second of `day`, in UTC, so that whoever shows a deadline shows its day."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=CHINA).astimezone(UTC)
