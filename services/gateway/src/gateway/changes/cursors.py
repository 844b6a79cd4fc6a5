"""Where somebody stands in the logs, as a cursor that any process can go on from: `sync/changes` and `events` share it.

It is no secret and opens nothing: who asks sees what their token lets them see, wherever they say to be.
"""

import base64
import struct
from collections.abc import Collection
from hashlib import blake2b
from typing import Final, NamedTuple

from webapi import Principal, Refusal
from webapi.problems import CURSOR_INVALID

_WHOSE: Final = struct.Struct(">8s8sQ")  # 24 bytes, so that it is encoded by itself
_PLACE: Final = struct.Struct(">QQ")
LENGTH: Final = 54
_LARGEST: Final = 2**63 - 1


class Position(NamedTuple):
    """A place in the logs: after all of this transaction's rows up to `id`, and after all transactions before it."""

    txid: int
    id: int


class Whose(NamedTuple):
    """What a cursor is bound to: who asks through which client, and by a hash what it is that they see.

    Of what was gone before the transaction `since` the reader never heard.
    """

    who: bytes
    sees: bytes
    since: int

    def seeing(self, epoch: int, scopes: Collection[str], audiences: Collection[str]) -> "Whose":
        """Bind to what is seen, in an epoch of the logs."""
        return self._replace(sees=_hash((str(epoch), *sorted(scopes), *sorted(audiences))))

    def at(self, position: Position) -> str:
        """Write a cursor."""
        return (self.encoded() + place(position)).decode()

    def encoded(self) -> bytes:
        """Write the part of a cursor that stays; `place` gives the rest."""
        return base64.urlsafe_b64encode(_WHOSE.pack(*self))


def place(position: Position) -> bytes:
    """Write the part of a cursor that is the same for all readers."""
    return base64.urlsafe_b64encode(_PLACE.pack(*position)).rstrip(b"=")


def whose(principal: Principal, since: int) -> Whose:
    """Bind cursors to who asks, who sees nothing yet."""
    return Whose(_hash((str(principal.person_id), str(principal.actor), principal.client_id)), b"", since)


def read(cursor: str, principal: Principal) -> tuple[Whose, Position]:
    """Read a cursor of this caller; raises the 422 problem `cursor_invalid` for any other."""
    try:
        plain = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==")
        bound, position = Whose(*_WHOSE.unpack_from(plain)), Position(*_PLACE.unpack(plain[_WHOSE.size :]))
    except (ValueError, struct.error) as error:
        raise Refusal(CURSOR_INVALID) from error
    if bound.who != whose(principal, 0).who or max(bound.since, *position) > _LARGEST:
        raise Refusal(CURSOR_INVALID)
    return bound, position


def _hash(words: Collection[str]) -> bytes:
    return blake2b("\n".join(words).encode(), digest_size=8).digest()
