"""Counting what may be done so often and no more, in PostgreSQL, so that it holds over all processes."""

import math
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, raw
from identity.throttling.rules import Limit

# In one order for everybody, so that two requests with the same subjects never wait for each other in a circle.
_COUNT = """
insert into rate_count as kept (subject, window_seconds, began_at, counted, expires_at)
select subject, seconds, $3::timestamptz, 1, $3::timestamptz + make_interval(secs => seconds)
from unnest($1::bytea[], $2::integer[]) as asked (subject, seconds)
order by subject, seconds
on conflict (subject, window_seconds) do update set
    counted = case when kept.expires_at <= $3 then 1 else kept.counted + 1 end,
    began_at = case when kept.expires_at <= $3 then excluded.began_at else kept.began_at end,
    expires_at = case when kept.expires_at <= $3 then excluded.expires_at else kept.expires_at end
returning subject, window_seconds, counted, expires_at
"""


class TooOften(Exception):
    """Something was done as often as it may be; it may be done again in `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


def subject_of(ring: KeyRing, kind: str, value: str) -> bytes:
    """Give the keyed hash under which something is counted: neither numbers nor addresses are kept in the clear."""
    return ring.blind_index(f"throttling.{kind}", value)


async def count(session: AsyncSession, limits: Sequence[tuple[bytes, Limit]], *, now: datetime) -> None:
    """Count one more of each subject under its limit, or raise `TooOften` when one of them is reached.

    The exception undoes the counting with the transaction: what is refused does not count, so nobody waits longer
    because others went on asking.
    """
    most = {(subject, int(limit.window.total_seconds())): limit.most for subject, limit in limits}
    subjects, windows = zip(*most, strict=True)
    rows = await (await raw(session)).fetch(_COUNT, subjects, windows, now)
    over = [row["expires_at"] for row in rows if row["counted"] > most[row["subject"], row["window_seconds"]]]
    if over:
        raise TooOften(max(1, math.ceil((max(over) - now).total_seconds())))
