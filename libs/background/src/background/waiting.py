"""Waiting that a stop cuts short, and delays that grow with each failure."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so many seconds, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def unless(happens: asyncio.Event, doing: Awaitable[T]) -> T | None:
    """Do something and give what comes of it, or None when `happens` was set before it was done."""
    task, happening = asyncio.ensure_future(doing), asyncio.ensure_future(happens.wait())
    try:
        await asyncio.wait({task, happening}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        happening.cancel()
        if task.cancel():
            await asyncio.wait({task})


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
