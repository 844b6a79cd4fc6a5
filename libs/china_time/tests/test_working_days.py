"""Deadlines in working days of China, across holidays, working weekends and years not announced yet."""

from datetime import UTC, date, datetime

import pytest

from china_time import CHINA
from china_time.working_days import deadline, working_day


def noon(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00").replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("opened_on", "working_days", "last_day"),
    [
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-27", 1, "2026-11-30"),  # over a weekend
        ("2026-09-30", 1, "2026-10-08"),  # over the National Day week
        ("2026-09-30", 3, "2026-10-10"),  # the Saturday after it is worked
        ("2026-02-13", 2, "2026-02-24"),  # a worked Saturday, then the Spring Festival
        ("2026-10-03", 1, "2026-10-08"),  # opened on a day off
    ],
)
def test_a_deadline_counts_the_official_working_days(opened_on: str, working_days: int, last_day: str) -> None:
    due = deadline(noon(opened_on), working_days)
    assert (due.due_at.astimezone(CHINA).date(), due.provisional) == (date.fromisoformat(last_day), False)


def test_a_deadline_ends_with_the_day_in_china() -> None:
    due = deadline(noon("2026-11-23"), 1).due_at
    assert due == datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)
    assert due.tzinfo is UTC


def test_the_day_of_a_case_is_that_of_china_not_of_greenwich() -> None:
    late_in_greenwich = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert deadline(late_in_greenwich, 1).due_at.astimezone(CHINA).date() == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2027-02-04", True),
        ("2027-02-05", False),  # the eve of the Spring Festival
        ("2027-02-10", False),  # in lieu of a holiday that falls on the weekend
        ("2027-10-01", False),
        ("2027-10-08", True),
        ("2027-02-13", False),  # a Saturday; which ones are worked is announced later
        ("2040-01-02", True),
        ("2040-10-02", False),
    ],
)
def test_a_year_not_announced_yet_is_judged_by_the_regulation_and_marked(day: str, works: bool) -> None:
    assert working_day(date.fromisoformat(day)) == (works, False)


def test_a_deadline_that_runs_into_such_a_year_is_provisional() -> None:
    due = deadline(noon("2026-12-30"), 2)
    assert (due.due_at.astimezone(CHINA).date(), due.provisional) == (date(2027, 1, 4), True)
