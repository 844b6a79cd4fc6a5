"""Slow clients: how slow one may be, and how much of the gateway those that are fill together and each."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from gateway.forwarding.failures import Crowded
from gateway.forwarding.limits import KIB
from webapi.authentication import Principal
from webapi.networks import around_of, network_of

PLACE: Final = 64 * KIB
"""Bytes for which one place is taken: of a body that is still coming, or of an answer that is not yet read."""
_Share = tuple[str, object, int]


@dataclass(frozen=True, slots=True)
class Patience:
    """How slow a client may be; whoever keeps `rate` (bytes a second) over any `span` (seconds) is never cut off."""

    rate: int = 512
    span: float = 60.0
    quick: float = 0.2
    """A body of at most one place that is there by then takes none: the ordinary request never asks for room."""
    places: int = 4096


class Pace:
    """How many seconds a client has `left` for its next piece, while it alone is waited for.

    Each byte earns its time at the least rate, but nobody has more than the span in hand.
    """

    __slots__ = ("_patience", "left")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.left = patience.span

    def came(self, size: int, waited: float) -> None:
        """Count a piece of so many bytes, for which so many seconds were waited."""
        self.left = min(self._patience.span, self.left - waited + size / self._patience.rate)


class Room:
    """So many places in this process, of which everybody may take a share.

    Half of them for one client, and half for all who bring no token; a person has a thirty-second part, an address
    without a token an eighth, for a village may stand behind it, and the /48 around an IPv6 one a quarter.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self._taken: Counter[tuple[str, object]] = Counter()

    @property
    def taken(self) -> int:
        """Places that are taken now."""
        return self._taken["all", None]

    def take(self, shares: tuple[_Share, ...], more: int) -> None:
        """Take places for one of these shares; raises Crowded with the name of the first that is used up."""
        for name, key, most in shares:
            if self._taken[name, key] + more > most:
                raise Crowded(name)
        for name, key, _ in shares:
            self._taken[name, key] += more

    def give_back(self, shares: tuple[_Share, ...], places: int) -> None:
        """Give back what was taken; who holds nothing is forgotten."""
        for name, key, _ in shares:
            self._taken[name, key] -= places
            if not self._taken[name, key]:
                del self._taken[name, key]

    def shares_of(self, principal: Principal | None, address: str) -> tuple[_Share, ...]:
        """Name the shares of whoever asks; in an assisted session the person who asks is the helper."""
        everybody = ("all", None, self.places)
        half = max(1, self.places // 2)
        if principal is None:
            around = around_of(address)
            wider: tuple[_Share, ...] = () if around is None else (("network", around, max(1, half // 2)),)
            of_address = ("address", network_of(address), max(1, half // 4))
            return (of_address, *wider, ("without_token", None, half), everybody)
        return (
            ("person", principal.asker, max(2, self.places // 32)),
            ("client", principal.client_id, half),
            everybody,
        )


class Holding:
    """What one request holds of a room: nothing until it proves slow or large; `leave` must follow."""

    __slots__ = ("_address", "_held", "_principal", "_room", "_shares")

    def __init__(self, room: Room, principal: Principal | None, address: str) -> None:
        self._room = room
        self._principal = principal
        self._address = address
        self._held = 0
        self._shares: tuple[_Share, ...] = ()

    def elsewhere(self, room: Room) -> "Holding":
        """Give what the same request holds of another room."""
        return Holding(room, self._principal, self._address)

    def hold(self, places: int) -> None:
        """Hold at least so many places; raises Crowded and leaves things as they are when there is no room."""
        more = places - self._held
        if more > 0:
            self._shares = self._shares or self._room.shares_of(self._principal, self._address)
            self._room.take(self._shares, more)
            self._held = places

    def leave(self) -> None:
        """Give everything back."""
        if self._held:
            self._room.give_back(self._shares, self._held)
            self._held = 0


def places_for(size: int) -> int:
    """Give the places that so many bytes take."""
    return -(-size // PLACE)
