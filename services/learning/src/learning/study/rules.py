"""What a learner's progress and word change, as pure functions."""

from typing import Literal
from uuid import UUID

COMPLETE = 100
MEASURE_PREFIX = "help."

Understanding = Literal["understood", "need_help"]


def furthest(reached: int, reported: int) -> int:
    """Give the furthest point reached, in percent: progress only grows, so repeats and late reports do no harm."""
    return max(reached, reported)


def understood(understanding: Understanding) -> bool:
    """Say whether a learner understood the lesson."""
    return understanding == "understood"


def measure_of(lesson_id: UUID) -> str:
    """Give the name under which requests for help with a lesson are counted up the tree."""
    return f"{MEASURE_PREFIX}{lesson_id}"


def lesson_of(measure: str) -> UUID:
    """Give the lesson that `measure_of` named."""
    return UUID(measure.removeprefix(MEASURE_PREFIX))
