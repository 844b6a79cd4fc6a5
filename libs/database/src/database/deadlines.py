"""Until when somebody waits for the work at hand: what is begun in the database meanwhile ends by then, too."""

import asyncio
from contextvars import ContextVar
from math import ceil
from typing import Final


class Deadline:
    """`at` is a time of the running loop's clock, in seconds; None while nothing bounds the work."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at: float | None = None


DEADLINE: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)
"""The deadline of the work in this context; whoever sets it takes it back when the work is over."""


def milliseconds_left() -> int | None:
    """Give how long a statement may take here, 1 at least; None where nothing bounds it."""
    deadline = DEADLINE.get()
    if deadline is None or deadline.at is None:
        return None
    return max(1, ceil(1000 * (deadline.at - asyncio.get_running_loop().time())))
