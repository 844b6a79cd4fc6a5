"""Equal reads of one person that are under way at the same time: asked of the service once, answered to each."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from gateway.forwarding.endings import Forms
from gateway.forwarding.exchange import Exchange
from gateway.forwarding.failures import ForwardingFailure
from gateway.forwarding.headers import Answer, RequestHead
from gateway.forwarding.limits import KIB
from webapi.authentication import Principal

LARGEST: Final = 64 * KIB
"""Bytes of an answer that is shared."""
JOINABLE_SECONDS: Final = 0.05
"""How old an exchange may be to be joined: an answer may have been decided by so much before it was asked for."""
_OK: Final = 200
_READS: Final = frozenset(("GET", "HEAD", "OPTIONS"))

Asker: TypeAlias = UUID | str


class Key(NamedTuple):
    """Whose request it is, what it asks for, and all header lines that go on with it, the token's too."""

    asker: Asker
    target: bytes
    lines: list[bytes]


class Shared(NamedTuple):
    """An answer with its whole body."""

    answer: Answer
    body: bytes


class Leading:
    """An exchange that others may follow until the head of its answer comes; nobody does without a key."""

    __slots__ = ("_all", "_began", "_key", "followers")

    def __init__(self, of_all: "SharedExchanges", key: Key | None) -> None:
        self._all = of_all
        self._key = key
        self._began = monotonic()
        self.followers: list[asyncio.Future[Shared | ForwardingFailure | None]] = []

    def may_be_joined(self, key: Key) -> bool:
        """Say whether another request is equal to this one, and comes soon enough after it."""
        return self._key == key and monotonic() - self._began <= JOINABLE_SECONDS

    async def close(self, answer: Answer, exchange: Exchange) -> None:
        """Let nobody join any more, and answer those who did, as soon as the body is whole.

        Shared is an answer of success, for refusals are recorded for each, and one of at most `LARGEST` bytes.
        """
        self._all.forget(self._key, self)
        if not self.followers:
            return
        body = None
        if answer.status == _OK and (answer.length or 0) <= LARGEST:
            body = await exchange.whole(LARGEST)
        self.end(None if body is None else Shared(answer, body))

    def end(self, told: Shared | ForwardingFailure | None) -> None:
        """Tell the followers what became of it; None when its client left: they ask for themselves."""
        self._all.forget(self._key, self)
        for each in self.followers:
            if not each.done():
                each.set_result(told)
        self.followers.clear()


_NONE: Final[Mapping[bytes, Leading]] = {}


class SharedExchanges:
    """The exchanges of this process that may be joined, of reads whose path has one of the forms `unrecorded`."""

    def __init__(self, unrecorded: Forms) -> None:
        self._unrecorded = unrecorded
        self._open: dict[Asker, dict[bytes, Leading]] = {}

    def lead(self, key: Key | None) -> Leading:
        """Begin an exchange, which others may join if there is a key."""
        leading = Leading(self, key)
        if key is not None:
            self._open.setdefault(key.asker, {})[key.target] = leading
        return leading

    async def followed(self, key: Key | None, path: bytes) -> Shared | None:
        """Wait for the answer to an equal request; None when there is no other, or one has to ask for oneself.

        Raises the ForwardingFailure that the other met.
        """
        if key is None:
            return None
        leading = self._open.get(key.asker, _NONE).get(key.target)
        if leading is None or not leading.may_be_joined(key) or not self._is_unrecorded(path):
            return None
        told: asyncio.Future[Shared | ForwardingFailure | None] = asyncio.get_running_loop().create_future()
        leading.followers.append(told)
        shared = await told
        if isinstance(shared, ForwardingFailure):
            raise type(shared)(*shared.args) from shared
        return shared

    def passed(self, method: str, principal: Principal | None) -> None:
        """Let nobody join what a person began to read before something that they wrote came to its end."""
        if method not in _READS and principal is not None:
            self._open.pop(_asker_of(principal), None)
            self._open.pop(principal.actor or "", None)

    def forget(self, key: Key | None, leading: Leading) -> None:
        """Take an exchange out; another one of an equal request stays."""
        mine = None if key is None else self._open.get(key.asker)
        if key is not None and mine is not None and mine.get(key.target) is leading:
            del mine[key.target]
            if not mine:
                del self._open[key.asker]

    def _is_unrecorded(self, path: bytes) -> bool:
        return any(form.fullmatch(path) for form in self._unrecorded)


def key_of(method: str, target: bytes, head: RequestHead, principal: Principal | None) -> Key | None:
    """Give what two requests have in common that may share an exchange.

    None for what is never shared: a write, a read without a token, and a helper's, each of which is on record.
    """
    if method != "GET" or principal is None or principal.actor is not None:
        return None
    return Key(_asker_of(principal), target, head.lines)


def _asker_of(principal: Principal) -> Asker:
    """Name whose writes a read must show: a person's, whatever their tokens, or the client's for its own."""
    return principal.person_id if principal.is_person else principal.client_id
