"""When attendance is taken down, and from which source it is, as pure functions."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

import rulebook
from activities.rulesets import RULES
from china_time import day_of

Provenance = Literal["online", "paper", "qr", "helper", "late_sync"]
ParticipationMode = Literal["in_person", "remote"]

CLOCK_TOLERANCE = timedelta(minutes=5)


class AttendanceWindow(rulebook.Parameters):
    """From how long before the start, and until how long after the end, attendance is taken down."""

    opens_minutes_before_start: Annotated[int, Field(ge=0, le=1440)]
    late_sync_days: Annotated[int, Field(ge=0, le=366)]


ATTENDANCE_WINDOW = RULES.rule("attendance_window", AttendanceWindow)


class ActivityClosed(Exception):
    """The activity is closed: its attendance is final."""


class ActivityOver(Exception):
    """The activity has ended: nobody can register for it any more."""


class NotAMemberThere(Exception):
    """The person belongs neither to the organisation that holds the activity nor to one below it."""


class Times(NamedTuple):
    """An activity's times and state, as far as taking part depends on them."""

    starts_at: datetime
    ends_at: datetime
    closed: bool


class Sourced(NamedTuple):
    """From which source an attendance is, and when it was."""

    source: Provenance
    attended_at: datetime


def check_can_register(times: Times, now: datetime) -> None:
    """Raise `ActivityClosed` or `ActivityOver` when it is too late to register."""
    if times.closed:
        raise ActivityClosed
    if now >= times.ends_at:
        raise ActivityOver


def source_of_own_report(times: Times, *, said_at: datetime | None, helped: bool, now: datetime) -> Sourced:
    """Give the source of a person's own report, or of the helper's who acts for them.

    `said_at` is the time of attendance kept by a device that was offline. Taking part is possible until the activity
    is closed, after its end too. A report that comes after the end about a time before it is a late sync, accepted
    for as long as the rule of the activity's day says. Raises `ActivityClosed` and `rulebook.Refused`.
    """
    _check_open(times, now)
    at_once: Provenance = "helper" if helped else "online"
    if said_at is None:
        return Sourced(at_once, now)
    version = ATTENDANCE_WINDOW.as_of(day_of(times.starts_at))
    if said_at > now + CLOCK_TOLERANCE or said_at < _opens_at(times):
        raise version.refused(
            "outside_the_activity", zh="签到时间不在活动期间", en="The time given is not of this activity"
        )
    if now <= times.ends_at or said_at > times.ends_at:
        return Sourced(at_once, min(said_at, now))
    days = version.parameters.late_sync_days
    if now > times.ends_at + timedelta(days=days):
        raise version.refused("too_late", zh="已超过补传期限", en="Too late for a late sync", late_sync_days=days)
    return Sourced("late_sync", said_at)


def source_of_paper_list(times: Times, *, now: datetime) -> Sourced:
    """Give the source of a name on a paper list, which may be entered until the activity is closed.

    Raises `ActivityClosed` and `rulebook.Refused`.
    """
    _check_open(times, now)
    return Sourced("paper", min(now, times.ends_at))


def _check_open(times: Times, now: datetime) -> None:
    if times.closed:
        raise ActivityClosed
    if now < _opens_at(times):
        version = ATTENDANCE_WINDOW.as_of(day_of(times.starts_at))
        minutes = version.parameters.opens_minutes_before_start
        raise version.refused(
            "too_early", zh="活动尚未开始签到", en="Attendance is not open yet", opens_minutes_before_start=minutes
        )


def _opens_at(times: Times) -> datetime:
    version = ATTENDANCE_WINDOW.as_of(day_of(times.starts_at))
    return times.starts_at - timedelta(minutes=version.parameters.opens_minutes_before_start)
