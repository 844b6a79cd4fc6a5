"""When an address of a service is left out, and when it is tried again; without a clock and without I/O."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.edge.windows import Window


class State(StrEnum):
    """Requests go through a closed breaker alone; an open one waits, a probing one has asked whether it lives."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Breaking:
    """When a breaker opens, and for how many seconds: twice as long each time, until a request has succeeded again."""

    in_a_row: int = 5
    least: int = 20
    """So many exchanges in ten seconds must there be before half of them are enough."""
    first_seconds: float = 2.0
    longest_seconds: float = 30.0
    spread: float = 0.2
    slow_from: float = 5.0
    """Whoever would not wait so many seconds says nothing about a service that was slower."""


class Breaker:
    """The breaker of one address. `now` is in seconds; `chance`, from 0 to 1, spreads the times of many processes."""

    __slots__ = ("_doublings", "_failed", "_in_a_row", "_rule", "_worked", "is_closed", "state", "until")

    def __init__(self, rule: Breaking) -> None:
        self._rule = rule
        self._doublings = 0
        self.until = 0.0
        """When an open one is to probe."""
        self.close()

    def close(self) -> None:
        """Let requests through again."""
        self.state, self.is_closed = State.CLOSED, True
        self._in_a_row = 0
        self._worked, self._failed = Window(), Window()

    def worked(self, now: float) -> None:
        """Count an exchange that came to its end."""
        self._in_a_row = 0
        self._worked.add(now)
        if self._doublings and self.is_closed:
            self._doublings = 0

    def failed(self, now: float) -> bool:
        """Count one that did not; say whether the address should be left out now."""
        self._in_a_row += 1
        self._failed.add(now)
        if not self.is_closed:
            return False
        every = self.exchanges(now)
        mostly = every >= self._rule.least and 2 * self._failed.total(now) >= every
        return mostly or self._in_a_row >= self._rule.in_a_row

    def exchanges(self, now: float) -> int:
        """Give how many came to an end, either way, in the last ten seconds."""
        return self._failed.total(now) + self._worked.total(now)

    def open(self, now: float, chance: float) -> float:
        """Leave the address out; gives for how many seconds, after which `probe` is due."""
        rule = self._rule
        seconds = min(rule.longest_seconds, rule.first_seconds * 2.0**self._doublings)
        seconds *= 1 + rule.spread * (2 * chance - 1)
        self._doublings += 1
        self.state, self.is_closed, self.until = State.OPEN, False, now + seconds
        return seconds

    def probe(self) -> None:
        """Ask whether the service lives; `close` or `open` follows."""
        self.state = State.PROBING
