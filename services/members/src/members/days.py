"""Days, and the one that a point in time falls on where this service's people live."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated

from pydantic import Field

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time and no summer time, so no zone data is needed."""

Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
"""A day that people may mean; what lies further away overflows somewhere on its way to the database."""


def day_of(moment: datetime) -> date:
    """Give the day of an aware time."""
    return moment.astimezone(CHINA).date()


def end_of(day: date) -> datetime:
    """Give the first moment, in UTC, that is after `day`."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=CHINA).astimezone(UTC)
