"""How much of something happened in the last ten seconds."""

from typing import Final

SECONDS: Final = 10


class Window:
    """Counts to the second; `now` is in seconds, and never goes back."""

    __slots__ = ("_counts", "_second")

    def __init__(self) -> None:
        self._counts = [0] * SECONDS
        self._second = 0

    def add(self, now: float) -> None:
        """Count one."""
        second = int(now)
        if second != self._second:
            self._turn(second)
        self._counts[second % SECONDS] += 1

    def total(self, now: float) -> int:
        """Give how many there were."""
        self._turn(int(now))
        return sum(self._counts)

    def _turn(self, second: int) -> None:
        for passed in range(max(self._second + 1, second - SECONDS + 1), second + 1):
            self._counts[passed % SECONDS] = 0
        self._second = max(second, self._second)
