"""Points in time, and the day of the calendar they fall on where this service's people live."""

from datetime import UTC, date, datetime, timedelta, timezone
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


def day_of(moment: datetime) -> date:
    """Give the day of an aware time."""
    return moment.astimezone(CHINA).date()
