"""Daily partitions of outbox and inbox: made ahead, and dropped when old and no longer needed by any cursor."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg

from messaging import outbox

DAYS_AHEAD = 7
OUTBOX_DAYS = 14
INBOX_DAYS = 30  # longer than any row can be published again, so that a duplicate always finds its mark
LOCK_TIMEOUT = "2s"

_EXISTING = """
    select child.relname
    from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where parent.relname = $1 and parent.relnamespace = current_schema()::regnamespace
      and child.relname <> $1 || '_default'
"""

_BEHIND = """
    select not exists (
        select from {partition} row
        where not exists (
            select from outbox_cursor c
            where c.shard = row.shard and c.epoch = row.epoch and (row.txid, row.id) <= (c.txid, c.id)
        )
    )
"""

_DELETE_PUBLISHED = """
    delete from outbox_default row using outbox_cursor c
    where created_at < $1 and c.shard = row.shard and c.epoch = row.epoch and (row.txid, row.id) <= (c.txid, c.id)
"""


def partition_name(table: str, day: date) -> str:
    """Name the partition of `table` for one UTC day, e.g. `outbox_20261123`."""
    return f"{table}_{day:%Y%m%d}"


def bounds(table: str, day: date) -> str:
    """Give the `for values` clause of one UTC day: a time range for the outbox, a date range for the inbox."""
    following = day + timedelta(days=1)
    suffix = " 00:00:00+00" if table == "outbox" else ""
    return f"for values from ('{day}{suffix}') to ('{following}{suffix}')"


async def maintain(connection: asyncpg.Connection, today: date) -> None:
    """Make the partitions of the next days and drop the outdated, for both tables.

    `connection` is outside any transaction. Each step is a short transaction with a lock timeout; one that cannot get
    its lock raises `asyncpg.LockNotAvailableError`, and the next run goes on from there.
    """
    await connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
    await outbox.notice_restore(connection)  # it tells rows by the transactions that wrote them: before any moves
    for table, keep_days in (("outbox", OUTBOX_DAYS), ("inbox", INBOX_DAYS)):
        existing = {row["relname"] for row in await connection.fetch(_EXISTING, table)}
        for ahead in range(-1, DAYS_AHEAD + 1):
            day = today + timedelta(days=ahead)
            if partition_name(table, day) not in existing:
                await _create(connection, table, day)
        oldest_kept = today - timedelta(days=keep_days)
        for name in sorted(existing):
            if name < partition_name(table, oldest_kept):
                await _drop(connection, table, name)
        await _empty_default(connection, table, oldest_kept)


async def _empty_default(connection: asyncpg.Connection, table: str, oldest_kept: date) -> None:
    """Delete what is outdated from the default partition: rows of days when nobody made partitions."""
    if table == "outbox":
        await connection.execute(_DELETE_PUBLISHED, datetime.combine(oldest_kept, time.min, UTC))
    else:
        await connection.execute("delete from inbox_default where day < $1 and day > '1970-01-01'", oldest_kept)


async def _create(connection: asyncpg.Connection, table: str, day: date) -> None:
    """Make one partition; rows of that day that had to go to the default partition move into it."""
    name, column = partition_name(table, day), "created_at" if table == "outbox" else "day"
    first: Any = day if table == "inbox" else datetime.combine(day, time.min, UTC)
    last = first + timedelta(days=1)
    async with connection.transaction():
        await connection.execute(f"lock table {table}_default in access exclusive mode")
        await connection.execute(f"create table {name} (like {table} including defaults including constraints)")
        await connection.execute(
            f"with moved as (delete from {table}_default where {column} >= $1 and {column} < $2 returning *) "  # noqa: S608 - our own names
            f"insert into {name} select * from moved",
            first,
            last,
        )
        await connection.execute(f"alter table {table} attach partition {name} {bounds(table, day)}")


async def _drop(connection: asyncpg.Connection, table: str, name: str) -> None:
    """Drop one outdated partition; an outbox partition only when each of its rows is behind its cursor."""
    async with connection.transaction():
        if table == "outbox":
            await connection.execute("lock table outbox_cursor in share mode")  # no cursor moves back meanwhile
            if not await connection.fetchval(_BEHIND.format(partition=name)):
                return
        await connection.execute(f"drop table {name}")
