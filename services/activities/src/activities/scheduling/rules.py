"""What an activity's times and state allow, as pure functions."""

from datetime import datetime, timedelta
from typing import Literal

Kind = Literal[
    "branch_meeting",
    "committee_meeting",
    "group_meeting",
    "party_class",
    "theme_day",
    "organisational_life_meeting",
    "democratic_review",
]

LONGEST = timedelta(days=31)


class EndsBeforeItStarts(Exception):
    """An activity was given an end at or before its start."""


class LastsTooLong(Exception):
    """An activity was given more than `LONGEST` between start and end."""


class NotYetBegun(Exception):
    """An activity cannot be closed before it has begun."""


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """Raise `EndsBeforeItStarts` or `LastsTooLong` unless the times make an activity."""
    if ends_at <= starts_at:
        raise EndsBeforeItStarts
    if ends_at - starts_at > LONGEST:
        raise LastsTooLong


def check_can_close(starts_at: datetime, now: datetime) -> None:
    """Raise `NotYetBegun` before the start: an activity may end early, but not before it began."""
    if now < starts_at:
        raise NotYetBegun
