"""What an owner's answer makes of an act, and which acts are never tried; pure."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

AHEAD: Final = timedelta(minutes=5)
"""How far a device's clock may be ahead."""
TOO_OLD: Final = timedelta(days=90)
"""As long as receipts are kept: what is older could have been done without anybody's knowing any more."""
_LATER: Final = frozenset({401, 408, 425, 429})
"""Statuses that say nothing of the act itself."""

Settled = Literal["applied", "conflict", "rejected", "retry"]


def settled(status: int, code: str) -> Settled:
    """Say what an answer makes of its act; `code` is the last word of the problem's type."""
    if 200 <= status < 300 or code == "answer_not_kept":
        return "applied"
    if status in _LATER or status >= 500:
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


def version_of(etag: bytes | None, body: Any) -> int | None:
    """Read the version that an owner's answer tells: from its ETag, or its body."""
    told = etag.strip(b'"').decode("latin-1") if etag is not None else ""
    if told.isdigit():
        return int(told)
    version = body.get("version") if isinstance(body, dict) else None
    return version if isinstance(version, int) else None
