"""Which tokens were ended before their time: kept in memory for as long as such a token could still be brought."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from contracts import Event
from contracts.identity import AuthorizationChangedV1, SessionRevokedV1

LONGEST_LIFE: Final = timedelta(minutes=30)
"""No access token lives longer than that of an assisted session; one that claims to is refused."""
KEPT_FOR: Final = LONGEST_LIFE + timedelta(minutes=1)
"""The minute is for clocks that differ."""
REVOCATIONS: Final[tuple[type[Event], ...]] = (SessionRevokedV1, AuthorizationChangedV1)
"""The events that end tokens."""


class Bearer(Protocol):
    """What a revocation asks of a token's principal."""

    @property
    def person_id(self) -> UUID:
        """The token's `sub`."""

    @property
    def session_id(self) -> str | None:
        """The token's `sid`."""

    @property
    def authorization_version(self) -> int | None:
        """How many changes of the account the token knows of."""


class _Lowest(NamedTuple):
    version: int
    until: float


class Revocations:
    """The sessions that were ended and the lowest authorization version that holds, by person, of the last minutes.

    Nothing in it is ever wrong, only superfluous after `KEPT_FOR`: what comes late or twice does no harm, and what has
    run out is dropped when something new comes.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unknown_before: int | None = None
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._people: OrderedDict[UUID, _Lowest] = OrderedDict()

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._sessions) + len(self._people)

    def take(self, event: Event) -> None:
        """Take in a revocation; an event that is none changes nothing."""
        now = self._clock()
        until = now + KEPT_FOR.total_seconds()
        if isinstance(event, SessionRevokedV1):
            session_id = str(event.session_id)
            self._sessions[session_id] = until
            self._sessions.move_to_end(session_id)
        elif isinstance(event, AuthorizationChangedV1):
            known = self._people.get(event.person_id)
            version = max(event.authorization_version, known.version if known else 0)
            self._people[event.person_id] = _Lowest(version, until)
            self._people.move_to_end(event.person_id)
        self._forget(now)

    def await_past(self, since: float) -> None:
        """Know of nothing that was ended before `since` (seconds since 1970), until `past_is_known`."""
        self._unknown_before = int(since)

    def past_is_known(self) -> None:
        """Judge tokens of any age from now on."""
        self._unknown_before = None

    def judges(self, issued_at: float) -> bool:
        """Say whether a token of then would be known here if it had been ended."""
        return self._unknown_before is None or issued_at >= self._unknown_before

    def has_ended(self, bearer: Bearer) -> bool:
        """Say whether a token of this bearer was ended; one that tells no version is older than any change."""
        if bearer.session_id in self._sessions:
            return True
        if not self._people:  # as a rule; the hash of an id costs more than all else here
            return False
        lowest = self._people.get(bearer.person_id)
        return lowest is not None and (bearer.authorization_version or 0) < lowest.version

    def _forget(self, now: float) -> None:
        while self._sessions and next(iter(self._sessions.values())) <= now:
            self._sessions.popitem(last=False)
        while self._people and next(iter(self._people.values())).until <= now:
            self._people.popitem(last=False)
