"""Somebody who listens, and what waits to be sent to them, within bounds."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

import orjson
from prometheus_client import Counter

from gateway.changes.cursors import Position, Whose
from webapi import AuthenticatedCaller

MOST_WAITING: Final = 16 * 1024
"""Bytes that wait here for one reader, and half as many at the transport: then it is told to read the log instead."""
_BYE: Final = b"event: bye\ndata: {}\n\n"
_STILL_HERE: Final = b":\n\n"
RESYNCED: Final = Counter(
    "gateway_changes_resynced", "Listeners that were told to read the log, by reason: slow, behind, moved.", ("reason",)
)


class Listener:
    """One stream of events to one caller: bound by `bound` to `audiences` and `scopes`, and told up to `position`."""

    __slots__ = (
        "_ended",
        "_pending",
        "_prefix",
        "_read_to",
        "_size",
        "_wake",
        "_write",
        "audiences",
        "bound",
        "caller",
        "epoch",
        "position",
        "scopes",
        "spoken_at",
        "warned",
    )

    def __init__(
        self,
        caller: AuthenticatedCaller,
        bound: Whose,
        *,
        epoch: int,
        audiences: frozenset[str],
        scopes: frozenset[str],
        position: Position,
    ) -> None:
        self.caller = caller
        self.epoch = epoch
        self.scopes = scopes
        self.position = self._read_to = position
        self.warned = False
        self.spoken_at = monotonic()
        self._pending: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._ended = False
        self._write: Callable[[bytes], bool] | None = None
        self.bind(bound, audiences)

    def bind(self, bound: Whose, audiences: frozenset[str]) -> None:
        """Let this listener be in these audiences from now on."""
        self.bound, self.audiences = bound, audiences
        self._prefix = b"id: " + bound.encoded()

    def tell(self, position: Position, event: bytes) -> None:
        """Tell of a change at a place in the log, unless it was told; `event` is the rest after the id's first part.

        It is sent with `send`, together with what is told before.
        """
        if position > self.position:
            self.position = position
            self._add(self._prefix + event)

    def resync(self, reason: str, *, position: Position | None = None, cursor: str | None = None) -> None:
        """Say that what follows is not all, and from which cursor to read the log; go on at `position`."""
        RESYNCED.labels(reason).inc()
        told = {"scopes": sorted(self.scopes), "cursor": cursor or self.bound.at(self._read_to)}
        self._pending = [b"event: resync\ndata: " + orjson.dumps(told) + b"\n\n"]
        self._size = len(self._pending[0])
        self.position = position or self.position
        self.send()

    def say_bye(self) -> None:
        """Say that this stream ends soon."""
        self.warned = True
        self._add(_BYE)
        self.send()

    def say_still_here(self) -> None:
        """Keep what stands between from thinking that nobody is here."""
        self._add(_STILL_HERE)
        self.send()

    def end(self) -> None:
        """End the stream; what waits for a slow reader is not sent any more."""
        self._ended = True
        self._pending.clear()
        self._wake.set()

    def leave(self) -> None:
        """End it, for who listens to connect anew."""
        self.say_bye()
        self.end()

    def send(self) -> None:
        """Send what waits: at once where the reader keeps up, else when it does."""
        if self._write is not None and self._pending and self._write(b"".join(self._pending)):
            self._sent()
        else:
            self._wake.set()

    async def next(self, write: Callable[[bytes], bool] | None) -> bytes:
        """Wait for what could not be sent by `write`; nothing at the end."""
        self._write = write
        while not (self._ended or self._pending):
            await self._wake.wait()
            self._wake.clear()
        self._write = None  # what comes while these are on their way comes after them
        pieces = b"".join(self._pending)
        self._sent()
        return pieces

    def _sent(self) -> None:
        self._pending.clear()
        self._size = 0
        self._read_to = self.position

    def _add(self, piece: bytes) -> None:
        self.spoken_at = monotonic()
        if self._size + len(piece) > MOST_WAITING:
            self.send()
        if self._size + len(piece) > MOST_WAITING:
            self.resync("slow")
        else:
            self._pending.append(piece)
            self._size += len(piece)
