"""How often one person may do what reaches others: a bucket in the service's database, so that all processes see it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil
from random import random
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from webapi.problems import RETRY_AFTER, Problem

EXTENSION: Final = "x-limited"
TOO_OFTEN: Final = Problem(429, "too_often", "Too often; try again later.", "操作太频繁，请稍后再试。", (RETRY_AFTER,))
_DROPPED_EACH: Final = 32
"""At one in so many acts, buckets that are full again are dropped, so that no job has to."""

_COUNT: Final = """
insert into reach_count as kept (person_id, reached, full_at) values ($1, $2, $3::timestamptz + $4)
on conflict (person_id, reached) do update set full_at = greatest(kept.full_at, $3) + $4
returning full_at
"""
_DROP: Final = """
delete from reach_count where ctid = any(array(
    select ctid from reach_count where full_at < $1 limit 100 for update skip locked))
"""


class Limit(NamedTuple):
    """At most `most` at once, of which one comes back in each `most`-th part of `window`; `reached` names them."""

    reached: str
    most: int
    window: timedelta


class TooOften(Exception):
    """Somebody did something as often as they may; they may do it again in `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


def limited(*limits: Limit) -> dict[str, Any]:
    """Declare what a route's command counts with `count_reach`: `access("self") | limited(CASES)`."""
    return {
        EXTENSION: [
            {"reached": limit.reached, "most": limit.most, "seconds": int(limit.window.total_seconds())}
            for limit in limits
        ]
    }


async def count_reach(session: AsyncSession, limit: Limit, person_id: UUID, *, now: datetime) -> None:
    """Count one more of this person's acts, in the transaction of the command that does it.

    Call it where something new is made, so that the same sent again costs nothing. Raises `TooOften`, which undoes the
    counting with the transaction: what is refused does not count.
    """
    connection = await raw(session)
    full_at = await connection.fetchval(_COUNT, person_id, limit.reached, now, limit.window / limit.most)
    over = full_at - now - limit.window
    if over > timedelta(milliseconds=1):  # an interval is told in whole microseconds
        raise TooOften(max(1, ceil(over.total_seconds())))
    if random() * _DROPPED_EACH < 1:  # noqa: S311 - no secret
        await connection.execute(_DROP, now)


async def forget_reach(session: AsyncSession, person_ids: Iterable[UUID]) -> None:
    """Delete what is counted of these people."""
    await (await raw(session)).execute("delete from reach_count where person_id = any($1::uuid[])", list(person_ids))
