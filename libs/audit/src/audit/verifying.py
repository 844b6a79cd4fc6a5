"""Verifies a chain from its rows and what another service witnessed, and names the first row that is wrong; no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.chain import Day, Link, Tree, follow, genesis, moment_text

KEPT_DAYS: Final = 180

Kind = Literal[
    "altered",
    "missing",
    "inserted",
    "reordered",
    "cut",
    "rewritten",
    "day_missing",
    "day_altered",
    "removed_too_early",
    "signature",
    "unsealed",
    "unwitnessed",
]

_TOLD: Final[Mapping[Kind, tuple[str, str]]] = {
    "altered": ("was altered", "被改动"),
    "missing": ("is missing", "缺失"),
    "inserted": ("was inserted", "是插入的"),
    "reordered": ("stands where another belongs", "顺序被调换"),
    "cut": ("and what followed it were cut off", "及其后的记录被截去"),
    "rewritten": ("or one after it is not what was witnessed", "或其后的记录与见证不符"),
    "day_missing": ("the day's record is missing", "当日记录缺失"),
    "day_altered": ("the day's record was altered", "当日记录被改动"),
    "removed_too_early": ("the entries were removed before 180 days", "记录未满180日即被删除"),
    "signature": ("a witness's signature is wrong", "见证签名无效"),
    "unwitnessed": (
        "and what followed it were never witnessed, though the day is over",
        "及其后的记录当日结束后仍无见证",
    ),
    "unsealed": ("was recorded long ago and is not sealed", "早已记录而未封存"),
}


class Witnessed(NamedTuple):
    """What a witness signed of a service's day: how long the chain was, its last hash and its root at that time."""

    service: str
    day: date
    number: int
    size: int
    head: bytes
    root: bytes
    witnessed_at: datetime
    key_id: str
    signature: bytes

    def statement(self) -> bytes:
        """Give what is signed: canonical JSON (RFC 8785) of everything but the signature."""
        return orjson.dumps(
            {
                "count": self.size,
                "day": self.day.isoformat(),
                "head": self.head.hex(),
                "key_id": self.key_id,
                "number": self.number,
                "root": self.root.hex(),
                "service": self.service,
                "witnessed_at": moment_text(self.witnessed_at),
            },
            option=orjson.OPT_SORT_KEYS,
        )


class Finding(NamedTuple):
    """What is wrong first on a day: `position` in the day's chain from 1, and the id of the entry that stands there."""

    service: str
    day: date | None
    kind: Kind
    position: int | None = None
    entry_id: int | None = None

    def __str__(self) -> str:
        """Say it in English and Chinese."""
        where_en, where_zh = "", ""
        if self.position is not None:
            where_en, where_zh = f"entry {self.position} ", f"第{self.position}条"
        if self.entry_id is not None:
            where_en, where_zh = f"{where_en or 'an entry '}(id {self.entry_id}) ", f"{where_zh}(编号{self.entry_id})"
        en, zh = _TOLD[self.kind]
        return f"{self.service} {self.day or ''}: {where_en}{en} / {where_zh}{zh}"


class Books(NamedTuple):
    """What is known of a service's audit but its entries: what it keeps of its days, and what its witness signed.

    `keys` are the raw Ed25519 public keys of the witness by id; `today` tells which entries may have been removed.
    `heard` says that the witness was asked: then it must know every day before `settled` that is over to its end.
    """

    service: str
    days: Mapping[date, Day]
    witnessed: Mapping[date, Sequence[Witnessed]]
    keys: Mapping[str, bytes]
    today: date
    settled: date
    heard: bool

    @classmethod
    def of(
        cls,
        service: str,
        days: Iterable[Day],
        witnessed: Iterable[Witnessed] | None,
        keys: Mapping[str, bytes],
        *,
        today: date,
        settled: date,
    ) -> "Books":
        """Put them in order; what the witness signed of other services is left out. None: it was not asked."""
        by_day: dict[date, list[Witnessed]] = {}
        for each in sorted(witnessed or (), key=lambda each: (each.day, each.number)):
            if each.service == service:
                by_day.setdefault(each.day, []).append(each)
        return cls(service, {day.day: day for day in sorted(days)}, by_day, keys, today, settled, witnessed is not None)

    def check(self, day: date, links: Sequence[Link]) -> Finding | None:
        """Give the first thing that is wrong on a day, whose entries are `links`, by position."""
        seen = self.witnessed.get(day, ())
        wrong = _signatures(self.service, day, seen, self.keys) or self._record(day)
        if wrong is not None:
            return wrong
        own = self.days[day]
        if own.forgotten:
            return _against_record(self.service, own, seen) or self._unwitnessed(own, seen)
        return (
            _walk(self.service, own, links)
            or _against_witness(self.service, own, links, seen)
            or self._unwitnessed(own, seen)
        )

    def _unwitnessed(self, own: Day, seen: Sequence[Witnessed]) -> Finding | None:
        """Demand that the witness knows the end of a day after which there was another."""
        known = max((each.size for each in seen), default=0)
        over = own.day < min(self.settled, max(self.days))
        if not self.heard or not over or known >= own.size:
            return None
        return Finding(self.service, own.day, "unwitnessed", known + 1)

    def _record(self, day: date) -> Finding | None:
        """Check what the service keeps of the day itself: that it is there, and bound to the day before."""
        own = self.days.get(day)
        if own is None:
            return Finding(self.service, day, "day_missing")
        before = max((each for each in self.days if each < day), default=None)
        if own.previous_day != before:
            lost = own.previous_day is not None and own.previous_day not in self.days
            return Finding(self.service, day, "day_missing" if lost else "day_altered")
        head = self.days[before].head if before is not None else None
        if own.genesis != genesis(self.service, day, previous_day=before, previous_head=head):
            return Finding(self.service, day, "day_altered")
        if own.forgotten and day > self.today - timedelta(days=KEPT_DAYS):
            return Finding(self.service, day, "removed_too_early")
        return None


def _signatures(service: str, day: date, seen: Sequence[Witnessed], keys: Mapping[str, bytes]) -> Finding | None:
    for each in seen:
        try:
            Ed25519PublicKey.from_public_bytes(keys[each.key_id]).verify(each.signature, each.statement())
        except (KeyError, ValueError, InvalidSignature):
            return Finding(service, day, "signature", each.size)
    return None


def _against_record(service: str, own: Day, seen: Sequence[Witnessed]) -> Finding | None:
    """Hold a day whose entries are not at hand to its witness by its length and last hash."""
    for each in seen:
        if each.size > own.size:
            return Finding(service, own.day, "cut", own.size + 1)
        if each.size == own.size and each.head != own.head:
            return Finding(service, own.day, "rewritten", each.size)
    return None


def _walk(service: str, own: Day, links: Sequence[Link]) -> Finding | None:
    """Follow the chain from its beginning, and name the first entry at which it does not hold."""
    heads = [own.genesis]
    for index, link in enumerate(links):
        here = Finding(service, own.day, "altered", link.position, link.id)
        if link.position > index + 1:
            return Finding(service, own.day, "missing", index + 1)
        if link.position < index + 1:
            return here._replace(kind="inserted")
        genuine = link.hash == follow(link.previous, link)
        if link.previous == heads[-1] and genuine:
            heads.append(link.hash)
            continue
        return _named(own, links, index, heads, here, genuine=genuine)
    if len(links) < own.size:
        return Finding(service, own.day, "cut", len(links) + 1)
    if len(links) > own.size:
        return Finding(service, own.day, "inserted", own.size + 1, links[own.size].id)
    return None if heads[-1] == own.head else Finding(service, own.day, "day_altered")


def _named(
    own: Day, links: Sequence[Link], index: int, heads: Sequence[bytes], here: Finding, *, genuine: bool
) -> Finding:
    """Tell what happened at the first entry that does not follow the one before it."""
    link, following = links[index], links[index + 1 : index + 2]
    if not genuine:
        skipped = bool(following) and following[0].previous == heads[-1]
        return here._replace(kind="inserted" if skipped else "altered")
    if link.previous in heads[:-1]:  # it follows an earlier one: what stands between came in afterwards
        first = links[heads.index(link.previous)]
        return here._replace(kind="inserted", position=first.position, entry_id=first.id)
    if any(later.previous == heads[-1] for later in links[index + 1 :]):
        return here._replace(kind="reordered")
    return Finding(here.service, own.day, "missing", index + 1)


def _against_witness(service: str, own: Day, links: Sequence[Link], seen: Sequence[Witnessed]) -> Finding | None:
    """Hold a chain that agrees with itself to what was witnessed of it."""
    tree, witnessed_up_to = Tree(), 0
    for each in sorted(seen, key=lambda each: (each.size, each.number)):
        if each.size > len(links):
            return Finding(service, own.day, "cut", len(links) + 1)
        for link in links[tree.size : each.size]:
            tree.append(link.hash)
        head = links[each.size - 1].hash if each.size else own.genesis
        if tree.root() != each.root or head != each.head:
            # The root tells no single row: the first that can differ follows the last that was witnessed before.
            suspect = links[witnessed_up_to] if witnessed_up_to < len(links) else None
            position = each.size if suspect is None else suspect.position
            return Finding(service, own.day, "rewritten", position, suspect.id if suspect else None)
        witnessed_up_to = each.size
    return None
