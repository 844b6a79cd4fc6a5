"""Merges the access logs of the services into one list that is read page by page, as pure data."""

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

ENDED: Final = 0
"""The position in a log of which nothing is left; the ids of entries begin at 1."""

Position = int | None
"""How far a log was shown: entries below this id are left. None: it was never heard, so all are."""


class _Dated(Protocol):
    """What of an entry matters here."""

    @property
    def id(self) -> int: ...
    @property
    def happened_at(self) -> datetime: ...


E = TypeVar("E", bound=_Dated)


class Part(NamedTuple, Generic[E]):
    """What a service told below a position, in its own order, the latest first; `more` says that older ones follow.

    A service that has more tells as many as the page is to hold, so that no log runs dry while another goes on.
    """

    entries: Sequence[E]
    more: bool


class Merged(NamedTuple, Generic[E]):
    """A page, and where each log goes on."""

    entries: list[E]
    positions: dict[str, Position]

    @property
    def ended(self) -> bool:
        """Whether nothing is left of any log."""
        return all(position == ENDED for position in self.positions.values())


def merge(positions: Mapping[str, Position], parts: Mapping[str, Part[E]], limit: int) -> Merged[E]:
    """Give the next `limit` entries of all logs, the latest first, of the same moment by the services' names.

    A service's entries stay in its own order. One that has no part keeps its position, so that what it has to tell is
    shown once it can be heard. What comes into a log after it was first heard belongs to a new reading.
    """
    logs = ([(service, entry) for entry in parts[service].entries] for service in sorted(parts))
    latest_first = heapq.merge(*logs, key=lambda each: each[1].happened_at, reverse=True)
    page = list(islice(latest_first, limit))
    shown = {service: entry.id for service, entry in page}
    after = {service: _position(part, shown.get(service)) for service, part in parts.items()}
    return Merged([entry for _, entry in page], {**positions, **after})


def _position(part: Part[E], last_shown: int | None) -> Position:
    """Tell where a log goes on, of which the entry `last_shown` was the last on the page."""
    if not part.entries or (last_shown == part.entries[-1].id and not part.more):
        return ENDED
    return part.entries[0].id + 1 if last_shown is None else last_shown
