"""What a learner's progress and word change, as pure functions."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

COMPLETE = 100
MEASURE_PREFIX = "help."

Understanding = Literal["understood", "need_help"]
CLOCK_AHEAD: Final = timedelta(minutes=5)
"""How far a device's clock may be ahead of ours."""


class SaidInFuture(Exception):
    """A word was said later than it can have been."""


class Word(NamedTuple):
    """What a learner said of a lesson, and when."""

    at: datetime
    understood: bool


def furthest(reached: int, reported: int) -> int:
    """Give the furthest point reached, in percent: progress only grows, so repeats and late reports do no harm."""
    return max(reached, reported)


def understood(understanding: Understanding) -> bool:
    """Say whether a learner understood the lesson."""
    return understanding == "understood"


def time_of_word(said_at: datetime | None, now: datetime) -> datetime:
    """Give when a word was said, now at the latest; raises `SaidInFuture` for more than a clock that is ahead."""
    if said_at is None:
        return now
    if said_at > now + CLOCK_AHEAD:
        raise SaidInFuture
    return min(said_at, now)


def is_later(word: Word, said_at: datetime | None, *, understood: bool | None) -> bool:
    """Say whether a word counts over the one that stands; of two of one moment the call for help does."""
    if said_at is None or word.at != said_at:
        return said_at is None or word.at > said_at
    return not word.understood and understood is not False


def measure_of(lesson_id: UUID) -> str:
    """Give the name under which requests for help with a lesson are counted up the tree."""
    return f"{MEASURE_PREFIX}{lesson_id}"


def lesson_of(measure: str) -> UUID:
    """Give the lesson that `measure_of` named."""
    return UUID(measure.removeprefix(MEASURE_PREFIX))
