"""Days and points in time, and the day of China's calendar that a point in time falls on, as pure functions."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time and no summer time, so no zone data is needed."""

Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
]
"""A time that people may mean, in UTC; what lies further away overflows somewhere on its way to the database."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
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
