"""The chain of a day's entries and the tree over it: hashes alone, no I/O.

`h(n) = SHA-256(h(n-1) ‖ canonical JSON of entry n)`, where `h(0)` binds the service, the day and the day before.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple
from uuid import UUID

import orjson

_PLACE: Final = ("day", "position", "previous", "hash")


class Link(NamedTuple):
    """A sealed entry: what was recorded, its place in the day's chain, the hash it follows, and its own."""

    id: int
    recorded_at: datetime
    happened_at: datetime
    action: str
    decision: str
    purpose: str | None
    rule: str | None
    actor: UUID | None
    actor_role: str | None
    actor_organisation_id: UUID | None
    on_behalf_of: UUID | None
    assist_id: UUID | None
    subject: UUID | None
    object_id: UUID | None
    organisation_id: UUID | None
    times: int | None
    day: date
    position: int
    previous: bytes
    hash: bytes


class Day(NamedTuple):
    """What the service keeps of a day's chain of `size` entries, and where it begins and ends.

    `forgotten` says that the entries were removed when their time came.
    """

    day: date
    previous_day: date | None
    genesis: bytes
    size: int
    head: bytes
    forgotten: bool


def canonical(link: Link) -> bytes:
    """Give the canonical JSON (RFC 8785) of what was recorded; the database's `audit.canonical` gives the same."""
    recorded = {name: _json(value) for name, value in link._asdict().items() if name not in _PLACE}
    stated = {name: value for name, value in recorded.items() if value is not None}
    return orjson.dumps(stated, option=orjson.OPT_SORT_KEYS)


def _json(value: object) -> str | int | None:
    """Write ids as text, also of the driver's own kind, and times as `moment_text` does."""
    if isinstance(value, datetime):
        return moment_text(value)
    return value if isinstance(value, str | int | None) else str(value)


def moment_text(moment: datetime) -> str:
    """Write an aware time as canonical JSON here has it: UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def follow(previous: bytes, link: Link) -> bytes:
    """Give the hash of an entry that follows `previous`."""
    return hashlib.sha256(previous + canonical(link)).digest()


def genesis(service: str, day: date, *, previous_day: date | None, previous_head: bytes | None) -> bytes:
    """Give what a day's chain begins from."""
    bound = {"day": day.isoformat(), "service": service}
    if previous_day is not None and previous_head is not None:
        bound |= {"previous_day": previous_day.isoformat(), "previous_head": previous_head.hex()}
    return hashlib.sha256(orjson.dumps(bound, option=orjson.OPT_SORT_KEYS)).digest()


class Tree:
    """The Merkle tree (RFC 6962, 2.1) over hashes as they come; it keeps one node of each height."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # (leaves below, node), the largest first
        for each in hashes:
            self.append(each)

    def append(self, leaf: bytes) -> None:
        """Add a leaf at the end."""
        node, below = hashlib.sha256(b"\x00" + leaf).digest(), 1
        while self._peaks and self._peaks[-1][0] == below:
            node = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + node).digest()
            below *= 2
        self._peaks.append((below, node))
        self.size += 1

    def root(self) -> bytes:
        """Give the root over what was added so far."""
        if not self._peaks:
            return hashlib.sha256().digest()
        node = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node
