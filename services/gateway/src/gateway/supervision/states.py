"""What is known of the system's processes from their beats: up, slow or away, and since when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from service.beats import BEAT_SECONDS, Beat

State = Literal["up", "slow", "away"]

MISSED: Final = timedelta(seconds=BEAT_SECONDS * 2.5)
"""Silent for three beats, the one that is due just now included."""
LATE_SECONDS: Final = 30.0
LATE_EVENTS: Final = 10_000
FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""How long a process that ended unheard is told of, once another does its work."""
MOST_PROCESSES: Final = 10_000
_BEST_FIRST: Final[tuple[State, ...]] = ("up", "slow", "away")

Key = tuple[str, str, str]
"""Service, role and instance."""


@dataclass(slots=True)
class Process:
    """One process in one role; `beat` is None while it is only remembered."""

    key: Key
    state: State
    since: datetime
    heard_at: datetime
    beat: Beat | None = None

    @property
    def service(self) -> str:
        """The service it is of."""
        return self.key[0]

    @property
    def role(self) -> str:
        """What it does there: `api` or `worker`."""
        return self.key[1]


class Seen(NamedTuple):
    """How one half of a service does, `api` or `worker`, and since when."""

    state: State
    since: datetime


Picture = Mapping[tuple[str, str], Seen]
"""By service and role; what could not be heard of yet is not in it."""


class Change(NamedTuple):
    """A process that is in another state now; None: it left, or is forgotten."""

    key: Key
    state: State | None
    at: datetime


class Processes:
    """All that were heard of; times are given, so that it can be asked about any."""

    def __init__(self, remembered: Iterable[Process] = ()) -> None:
        self._known: dict[Key, Process] = {process.key: process for process in remembered}
        self._left: dict[tuple[str, str], datetime] = {}

    def all(self) -> list[Process]:
        """Give them in the order of their keys."""
        return [self._known[key] for key in sorted(self._known)]

    def hear(self, beat: Beat, now: datetime) -> list[Change]:
        """Take in a beat; gives what changed by it."""
        key = (beat.service, beat.role, beat.instance)
        known = self._known.get(key)
        if beat.leaving:
            if self._known.pop(key, None) is None:
                return []
            self._left[key[:2]] = now
            return [Change(key, None, now)]
        state = state_of(beat)
        if known is None:
            if len(self._known) >= MOST_PROCESSES:
                return []
            self._known[key] = Process(key, state, now, now, beat)
            return [Change(key, state, now)]
        known.heard_at, known.beat = now, beat
        return self._turn(known, state, now)

    def look(self, now: datetime) -> list[Change]:
        """Find who has been silent for too long; gives what changed by it."""
        changes = []
        for process in list(self._known.values()):
            if now - process.heard_at > MISSED:
                changes += self._turn(process, "away", now)
            if process.state == "away" and now - process.since > FORGOTTEN_AFTER and self._is_replaced(process):
                del self._known[process.key]
                changes.append(Change(process.key, None, now))
        return changes

    def excuse(self, now: datetime) -> None:
        """Begin to wait for all of them anew: they could not be heard until now."""
        for process in self._known.values():
            process.heard_at = now

    def best(self, service: str, role: str) -> Process | None:
        """Give the one that does best of those that do the same; None when none was ever heard of."""
        same = [each for each in self._known.values() if each.key[:2] == (service, role)]
        return min(same, key=lambda each: (_BEST_FIRST.index(each.state), -each.since.timestamp()), default=None)

    def left_at(self, service: str, role: str) -> datetime | None:
        """Say when the last of those that do the same said that it leaves; None when none ever did."""
        return self._left.get((service, role))

    def _is_replaced(self, process: Process) -> bool:
        best = self.best(process.service, process.role)
        return best is not None and best.state == "up"

    def _turn(self, process: Process, state: State, now: datetime) -> list[Change]:
        if process.state == state:
            return []
        process.state, process.since = state, now
        return [Change(process.key, state, now)]


def state_of(beat: Beat) -> State:
    """Say how a process does that beats: slow when it cannot do all, or is behind."""
    figures = beat.figures
    late = figures.outbox_age > LATE_SECONDS or any(lag > LATE_EVENTS for lag in figures.lags.values())
    return "slow" if beat.failed or late else "up"
