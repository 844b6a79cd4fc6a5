"""Being told that something was committed, so that nobody has to ask again and again whether there is work."""

import asyncio
from typing import Final

import asyncpg

# Waits in the database until a transaction that wrote has ended anywhere in the cluster: a snapshot differs only then.
# To ask inside it costs next to nothing, and no writer has to notify, which would halve the commits.
_WAITING: Final = """
    create or replace function pg_temp.wait_past(
        seen text, by_oldest boolean, every float8, longest float8
    ) returns text
    language plpgsql as $$
    declare
        present pg_snapshot;
        oldest constant xid8 := pg_snapshot_xmin(seen::pg_snapshot);
        until constant timestamptz := clock_timestamp() + make_interval(secs => longest);
    begin
        loop
            perform pg_sleep(every);
            present := pg_current_snapshot();
            exit when clock_timestamp() >= until;
            exit when case when by_oldest then pg_snapshot_xmin(present) > oldest else present::text <> seen end;
        end loop;
        return present;
    end $$
"""
_WAIT: Final = "select pg_temp.wait_past($1, $2, $3, $4)"
NEVER: Final = "1:1:"
"""The snapshot of nobody: any other is later."""


async def prepare_waiting(connection: asyncpg.Connection, *, timeout: float) -> None:  # noqa: ASYNC109 - the driver's
    """Let `wait_past` be called on this connection."""
    await connection.execute(_WAITING, timeout=timeout)


async def wait_past(
    connection: asyncpg.Connection,
    seen: str,
    *,
    by_oldest: bool = False,
    every: float,
    longest: float,
    answer_within: float,
) -> str:
    """Wait until the cluster's snapshot is another than `seen`, looking `every` so often; `longest` at most (seconds).

    `by_oldest` waits until the oldest transaction that was open in `seen` has ended. Gives the present one, in
    PostgreSQL's form `xmin:xmax:xip`; `NEVER` is older than all. Raises `TimeoutError` when the database owes the
    answer for `answer_within` seconds.
    """
    present: str = await connection.fetchval(_WAIT, seen, by_oldest, every, longest, timeout=longest + answer_within)
    return present


class Commits:
    """Counts what a watcher tells of, and wakes who rests meanwhile."""

    def __init__(self) -> None:
        self.count = 0
        self._is_watched = False
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Tell that something was committed, and that from here on everything will be told."""
        self.count += 1
        self._is_watched = True
        self._wake()

    def cease(self) -> None:
        """Tell that nothing will be told any more."""
        self._is_watched = False
        self._wake()

    async def rest(self, *, seen: int, seconds: float) -> None:
        """Wait until more is told of than `seen`, at most so many seconds; not at all while nobody watches."""
        if self._is_watched and self.count == seen and seconds > 0:
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
