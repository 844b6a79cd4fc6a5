"""Deadlines in working days of China, as pure functions."""

from datetime import date, datetime, timedelta
from importlib import resources
from typing import Annotated, NamedTuple

import chinese_calendar
from pydantic import Field, StringConstraints

import rulebook
from china_time.days import day_of, last_second_of

SATURDAY = 5

MonthDay = Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")]


class StatutoryHolidays(rulebook.Parameters):
    """Days off by the regulation: those of every year as `MM-DD`, and those of single years."""

    every_year: Annotated[frozenset[MonthDay], Field(max_length=50)]
    in_a_year: Annotated[frozenset[date], Field(max_length=500)]


_RULES = rulebook.read(resources.files("china_time") / "rules")
STATUTORY_HOLIDAYS = _RULES.rule("statutory_holidays", StatutoryHolidays)


class Deadline(NamedTuple):
    """When a deadline ends, and whether a day before it was judged without its year's official calendar."""

    due_at: datetime
    provisional: bool


class WorkingDay(NamedTuple):
    """Whether people work on a day, and whether the official calendar says so."""

    works: bool
    official: bool


def working_day(day: date) -> WorkingDay:
    """Say whether people work on `day`: by the State Council's calendar of its year, with its working weekends.

    Where the library does not hold that year, Monday to Friday but for the regulation's holidays; that is provisional,
    because the year's bridge days and working weekends are announced only in the November before.
    """
    try:
        return WorkingDay(chinese_calendar.is_workday(day), official=True)
    except NotImplementedError:
        holidays = STATUTORY_HOLIDAYS.as_of(day).parameters
        off = day.weekday() >= SATURDAY or day in holidays.in_a_year or f"{day:%m-%d}" in holidays.every_year
        return WorkingDay(not off, official=False)


def deadline(opened_at: datetime, working_days: int) -> Deadline:
    """Give the end, in China, of the `working_days`-th working day after the day of `opened_at`."""
    day, provisional = day_of(opened_at), False
    while working_days:
        day += timedelta(days=1)
        judged = working_day(day)
        provisional = provisional or not judged.official
        working_days -= judged.works
    return Deadline(last_second_of(day), provisional)
