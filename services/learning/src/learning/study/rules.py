"""What a learner's progress and word change, as pure functions."""

from typing import Literal

COMPLETE = 100

Understanding = Literal["understood", "need_help"]


def furthest(reached: int, reported: int) -> int:
    """Give the furthest point reached, in percent: progress only grows, so repeats and late reports do no harm."""
    return max(reached, reported)


def understood(understanding: Understanding) -> bool:
    """Say whether a learner understood the lesson."""
    return understanding == "understood"
