"""Rows whose time has come: claimed oldest first, worked off one by one, and tried again later when that fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from prometheus_client import Counter, Gauge

from database import Database, utc_now

OLDEST: Final = Gauge(
    "background_due_oldest_seconds", "How long ago the oldest row fell due that was claimed last; 0 if none.", ["table"]
)
FAILURES: Final = Counter("background_due_failures", "Rows that were not done and are tried again later.", ["table"])
_ROUNDS: Final = 50
logger = logging.getLogger(__name__)

# $1 need not stand in what is waiting.
_NEXT: Final = "select min({at}) from {table} due where {waiting} and $1::timestamptz is not null"
_CLAIM: Final = """
    update {table} set attempts = attempts + 1, {at} = $1 + $2::interval
    where {key} = any (array(
        select {key} from {table} due where {at} <= $1 and {waiting} order by {at} limit $3 for update skip locked))
    returning new.*, old.{at} as fell_due_at
"""
# Whoever comes after the claim is over leaves alone who claimed it since.
_POSTPONE: Final = "update {table} set {at} = $2 where {key} = $1 and attempts = $3"


class TryAgain(Exception):
    """A row could not be done now, of which whoever worked on it has told."""


class Due:
    """The rows of one table, named by `key`, that fall due at `at` and count their `attempts`.

    A claim is committed before the work: it may take as long as `claim_for`, and any number of workers may run. After
    that the row falls due again, for whoever claimed it has died. What is done deletes its row or puts it outside
    `waiting`, a condition in SQL on the row, named `due`, and on the present moment, named `$1`. `backoff` gives the
    delay after so many attempts; `at_once` says how many rows are worked on together.
    """

    def __init__(
        self,
        table: str,
        *,
        key: str,
        at: str,
        claim_for: timedelta,
        backoff: Callable[[int], timedelta],
        at_once: int,
        waiting: str = "true",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.table = table
        self._key = key
        self._next = _NEXT.format(table=table, at=at, waiting=waiting)
        self._claim = _CLAIM.format(table=table, key=key, at=at, waiting=waiting)
        self._postpone = _POSTPONE.format(table=table, key=key, at=at)
        self._claim_for = claim_for
        self._backoff = backoff
        self._at_once = at_once
        self._clock = clock

    async def work_off(self, database: Database, do: Callable[[asyncpg.Record], Awaitable[None]]) -> datetime | None:
        """Do what is due until nothing is, or fifty rounds are over; a row that fails keeps no other waiting.

        Gives when the next row falls due, None if there is none.
        """
        for _ in range(_ROUNDS):
            now = self._clock()
            async with database.look() as connection:
                next_at: datetime | None = await connection.fetchval(self._next, now)
            if next_at is None or next_at > now:
                OLDEST.labels(self.table).set(0.0)
                return next_at
            async with database.raw_transaction() as connection:
                rows = await connection.fetch(self._claim, now, self._claim_for, self._at_once)
            waited = [(now - row["fell_due_at"]).total_seconds() for row in rows]
            OLDEST.labels(self.table).set(max(waited, default=0.0))
            if not rows:  # somebody else claims what is due at this moment
                return now
            tried = await asyncio.gather(*(self._try(database, row, do) for row in rows), return_exceptions=True)
            for error in filter(None, tried):  # a row that could not even be put off: the others have ended by now
                raise error
        return self._clock()

    async def _try(
        self, database: Database, row: asyncpg.Record, do: Callable[[asyncpg.Record], Awaitable[None]]
    ) -> None:
        try:
            await do(row)
        except TryAgain:
            await self._put_off(database, row)
        except Exception:  # whatever it is, the others go on and this one is tried again
            told = {"table": self.table, "key": str(row[self._key]), "attempts": row["attempts"]}
            logger.exception("due_row_failed", extra=told)
            await self._put_off(database, row)

    async def _put_off(self, database: Database, row: asyncpg.Record) -> None:
        FAILURES.labels(self.table).inc()
        later = self._clock() + self._backoff(row["attempts"])
        async with database.raw_transaction() as connection:
            await connection.execute(self._postpone, row[self._key], later, row["attempts"])
