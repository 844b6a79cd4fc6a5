"""How much of something happened in the last ten seconds."""

from collections import deque
from typing import Final

SECONDS: Final = 10


class Window:
    """Counts to the second; `now` is in seconds, and never goes back."""

    __slots__ = ("_before", "_count", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._count = 0  # of this second
        self._before: deque[tuple[int, int]] = deque()

    def add(self, now: float) -> None:
        """Count one."""
        if now >= self._second + 1:
            self._turn(int(now))
        self._count += 1

    def total(self, now: float) -> int:
        """Give how many there were."""
        if now >= self._second + 1:
            self._turn(int(now))
        return self._count + sum(count for _, count in self._before)

    def _turn(self, second: int) -> None:
        self._before.append((self._second, self._count))
        while self._before and self._before[0][0] <= second - SECONDS:
            self._before.popleft()
        self._second, self._count = second, 0
