"""How often something may be done, and how long the next guess has to wait."""

from datetime import timedelta
from typing import Final, NamedTuple


class Limit(NamedTuple):
    """At most `most` in any `window` that begins with the first of them."""

    most: int
    window: timedelta


class Allowance(NamedTuple):
    """How many failures cost nothing, and after how long without one all are forgotten."""

    free: int
    forgotten_after: timedelta


LONGEST_WAIT: Final = timedelta(minutes=15)
OF_ACCOUNT: Final = Allowance(5, timedelta(days=1))
"""About a hundred guesses a day, however many addresses they come from."""
OF_ADDRESS: Final = Allowance(50, timedelta(hours=1))
"""A village behind one address mistypes more often than one person."""


def wait_after(failures: int, free: int) -> timedelta:
    """Give the time before the next guess after so many failures: none, then 1, 2, 4 … seconds, at most 15 minutes."""
    if failures < free:
        return timedelta()
    return min(timedelta(seconds=2 ** min(failures - free, 20)), LONGEST_WAIT)
