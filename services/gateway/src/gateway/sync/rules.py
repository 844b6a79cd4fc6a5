"""What an owner's answer makes of an act, and which acts are never tried; pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from math import isfinite
from typing import Any, Final, Literal
from uuid import UUID

AHEAD: Final = timedelta(minutes=5)
"""How far a device's clock may be ahead."""
TOO_OLD: Final = timedelta(days=90)
"""As long as receipts are kept: what is older could have been done without anybody's knowing any more."""
DEEPEST: Final = 20
"""Levels of an act's body, a field's name and value being one of their own."""
_HOLD_MORE: Final = frozenset({dict, list, tuple})
_LATER: Final = frozenset({401, 408, 425, 429})
"""Statuses that say nothing of the act itself."""

_OF_WHO_ASKS: Final = frozenset({"scope_missing", "not_assistable"})
"""Codes by which another application, or the person without a helper, may still carry it out."""

Settled = Literal["applied", "duplicate", "conflict", "rejected", "retry"]


def settled(status: int, code: str) -> Settled:
    """Say what an answer makes of its act; `code` is the last word of the problem's type."""
    if 200 <= status < 300:
        return "applied"
    if code == "answer_not_kept":
        return "duplicate"
    if status in _LATER or status >= 500 or code in _OF_WHO_ASKS:
        return "retry"
    return "conflict" if status == 412 or code == "stale" else "rejected"


def clock_refusal(acted_at: datetime, now: datetime) -> str | None:
    """Give the code of what is wrong with the time of an act."""
    if acted_at > now + AHEAD:
        return "acted_in_future"
    return "acted_too_long_ago" if acted_at < now - TOO_OLD else None


def twice(ids: Iterable[UUID]) -> list[UUID]:
    """Give the ids that stand there more than once."""
    seen: set[UUID] = set()
    return [each for each in ids if each in seen or seen.add(each)]  # type: ignore[func-returns-value]


def can_wait_for(after: UUID | None, earlier: Collection[UUID], known: Collection[UUID]) -> bool:
    """Say whether what an act depends on stands before it or was settled before."""
    return after is None or after in earlier or after in known


def is_readable(content: dict[str, Any]) -> bool:
    """Say whether every owner can read what JSON was sent: whole characters, finite numbers of 64 bits, few levels."""
    level: list[Any] = [content]
    for _ in range(DEEPEST):
        parts = list(chain.from_iterable(each.items() if type(each) is dict else each for each in level))
        level = [part for part in parts if type(part) in _HOLD_MORE]
        if not _are_plain(parts):
            return False
        if not level:
            return True
    return False


def _are_plain(parts: Sequence[Any]) -> bool:
    whole = [part for part in parts if type(part) is int]
    if whole and (min(whole) < -(2**63) or max(whole) >= 2**63):
        return False
    try:
        "".join([part for part in parts if type(part) is str]).encode()
    except UnicodeEncodeError:
        return False
    return all(map(isfinite, [part for part in parts if type(part) is float]))


def version_of(etag: bytes | None, body: Any) -> int | None:
    """Read the version that an owner's answer tells: from its ETag, or its body."""
    told = etag.strip(b'"').decode("latin-1") if etag is not None else ""
    if told.isdigit():
        return int(told)
    version = body.get("version") if isinstance(body, dict) else None
    return version if isinstance(version, int) else None
