"""How long a request is worked on: until its deadline, and no longer than its client is there."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from starlette.types import Scope

from database import DEADLINE, Deadline

HEADER: Final = b"x-xiangqiao-deadline"
"""Milliseconds in which the gateway needs the head of the answer; it lets none through that a client sends."""
LEAVING: Final = "xiangqiao.leaving"
"""In a scope's `extensions`: takes what to call if the client leaves, and None when that does not matter any more."""
_LONGEST_DIGITS: Final = 7

Leaving = Callable[[Callable[[], None] | None], None]


class Deadlined:
    """The block in which a request is served: `TimeoutError` ends it when its time is up or its client has left.

    The time runs from `arrived`, when the request is whole, to `answering`, when its answer begins; the client is
    heeded until the answer is whole, which `answered` says.
    """

    __slots__ = ("_deadline", "_leaving", "_limit", "_loop", "_seconds", "_token", "client_left")

    def __init__(self, scope: Scope) -> None:
        self._seconds = _seconds_in(scope)
        self._leaving: Leaving | None = (scope.get("extensions") or {}).get(LEAVING)
        self._loop = asyncio.get_running_loop()
        self._limit = asyncio.timeout(None)
        self._deadline = Deadline()
        self.client_left = False

    async def __aenter__(self) -> Self:
        await self._limit.__aenter__()
        self._token = DEADLINE.set(self._deadline)
        if self._leaving is not None:
            self._leaving(self._left)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.answered()
        DEADLINE.reset(self._token)
        self._deadline.at = None  # what was begun beside the request and goes on is not bounded by it
        await self._limit.__aexit__(kind, error, trace)

    @property
    def is_over(self) -> bool:
        """Whether the time was up before the answer began."""
        at = self._limit.when()
        return not self.client_left and at is not None and at <= self._loop.time()

    def arrived(self) -> None:
        """Let the time begin."""
        if self._seconds is not None:
            self._bound(self._loop.time() + self._seconds)

    def answering(self) -> None:
        """Let the time end."""
        if self._deadline.at is not None:
            self._bound(None)

    def answered(self) -> None:
        """Heed the client no more."""
        if self._leaving is not None:
            self._leaving(None)
            self._leaving = None

    def _left(self) -> None:
        self.client_left = True
        self._bound(self._loop.time())

    def _bound(self, at: float | None) -> None:
        if not self._limit.expired():
            self._limit.reschedule(at)
            self._deadline.at = at


def _seconds_in(scope: Scope) -> float | None:
    for name, value in scope["headers"]:
        if name == HEADER:
            return int(value) / 1000 if value.isdigit() and len(value) <= _LONGEST_DIGITS else None
    return None
