"""A day begins and ends in China, whatever the server's clock."""

from datetime import UTC, date, datetime, timedelta, timezone

from pydantic import TypeAdapter

from china_time import Moment, day_of, first_moment_after, last_second_of

DAY = date(2026, 11, 23)


def test_the_day_changes_at_four_in_the_afternoon_in_greenwich() -> None:
    assert day_of(datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)) == DAY
    assert day_of(datetime(2026, 11, 23, 16, 0, tzinfo=UTC)) == date(2026, 11, 24)


def test_the_last_second_is_of_the_day_and_the_first_moment_after_is_not() -> None:
    assert last_second_of(DAY) == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert first_moment_after(DAY) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert (day_of(last_second_of(DAY)), day_of(first_moment_after(DAY))) == (DAY, date(2026, 11, 24))


def test_a_moment_is_kept_in_utc() -> None:
    told = TypeAdapter(Moment).validate_python(datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=8))))
    assert (told.isoformat(), told.tzinfo) == ("2026-03-01T17:00:00+00:00", UTC)
