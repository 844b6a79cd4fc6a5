"""Days and points in time, and the day of the calendar they fall on where this service's people live."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated

from pydantic import AwareDatetime, Field

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time and no summer time, so no zone data is needed."""

Moment = Annotated[AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
"""A time that people may mean; what lies further away overflows somewhere on its way to the database."""


Day = Annotated[date, Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1))]
"""A day that people may mean; what lies further away overflows somewhere on its way to the database."""


def day_of(moment: datetime) -> date:
    """Give the day of an aware time."""
    return moment.astimezone(CHINA).date()


def end_of(day: date) -> datetime:
    """Give the last second of a day, in UTC, so that whoever shows a deadline shows its day."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=CHINA).astimezone(UTC)
