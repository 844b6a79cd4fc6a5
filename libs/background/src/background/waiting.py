"""Waiting that a stop cuts short, and delays that grow with each failure."""

import asyncio
import contextlib


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


class GrowingDelay:
    """Delays in seconds that double from `first` to `longest`, until something succeeds."""

    def __init__(self, first: float = 0.1, longest: float = 10.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def grow(self) -> float:
        """Give the delay to wait now; the next will be twice as long."""
        present, self._next = self._next, min(self._next * 2, self._longest)
        return present

    def reset(self) -> None:
        """Start again from the shortest: something succeeded."""
        self._next = self._first
