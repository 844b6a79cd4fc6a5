"""How much of what failed may be tried again: a share of all requests, so that trying again never makes it worse."""

from typing import Final

from gateway.edge.windows import SECONDS, Window

SHARE: Final = 0.1
LEAST_PER_SECOND: Final = 3
UNSENT_TRIES: Final = 2
UNSENT_SECONDS: Final = 1.0
UNSENT_PAUSE: Final = 0.25
"""Seconds before the same address is tried again, and twice as many the next time, up to a fifth more or less."""


class Budget:
    """What was tried again of one service in the last ten seconds, and whether more may be."""

    __slots__ = ("_spent",)

    def __init__(self) -> None:
        self._spent = Window()

    def take(self, now: float, requests: int) -> bool:
        """Take one, `requests` being how many there were in the last ten seconds; gives False when there is none."""
        if self._spent.total(now) >= max(LEAST_PER_SECOND * SECONDS, SHARE * requests):
            return False
        self._spent.add(now)
        return True
