"""What a service regularly does with its audit: chain what was committed, tell its witness, let go of what is old."""

from datetime import timedelta
from functools import partial
from typing import Final

import asyncpg

from audit.chain import Tree
from background import Job
from contracts.audit import AuditChainState
from database import Database, raw, utc_now
from messaging import Publication, append

CHAIN_EVERY: Final = timedelta(seconds=2)
CHECKPOINT_EVERY: Final = timedelta(hours=1)
_LOOK_EVERY: Final = timedelta(seconds=15)
_FORGET_EVERY: Final = timedelta(hours=6)
_AT_ONCE: Final = 2_000

# A day is due when it grew since its last checkpoint and that is an hour old, or when it is over.
_DUE: Final = """
    select day.day, day.count
    from audit.day day
    left join lateral (
        select count, made_at from audit.checkpoint own where own.day = day.day order by number desc limit 1
    ) last on true
    where day.forgotten_at is null and day.count > coalesce(last.count, 0)
      and (last.made_at is null or last.made_at <= $1 or day.day < (select max(day) from audit.day))
    order by day.day
"""
_IS_ANY_LEFT: Final = """
    select exists (select from audit.entry where day is null)
        or exists (select from audit.refusal where hour < date_trunc('hour', clock_timestamp(), 'UTC'))
"""
_HASHES: Final = "select hash from audit.entry where day = $1 and position <= $2 order by position"
_TELL: Final = "select number, head from audit.tell($1, $2, $3)"
_OLD: Final = "select ((clock_timestamp() at time zone 'UTC' + interval '8 hours')::date - $1::int)"


async def chain(database: Database) -> None:
    """Give every committed entry its place in the chain."""
    async with database.look() as connection:
        sealed = _AT_ONCE if await connection.fetchval(_IS_ANY_LEFT) else 0
    while sealed == _AT_ONCE:
        async with database.transaction() as session:
            sealed = await (await raw(session)).fetchval("select audit.seal($1)", _AT_ONCE)


async def checkpoint(database: Database, *, event_type: type[AuditChainState]) -> None:
    """Publish, as this event, how long the chain is and the root over it."""
    async with database.look() as connection:
        due = await connection.fetch(_DUE, utc_now() - CHECKPOINT_EVERY)
    for row in due:
        async with database.transaction() as session:
            connection = await raw(session)
            tree = await _tree(connection, row)
            number, head = await connection.fetchrow(_TELL, row["day"], tree.size, tree.root())
            told = event_type(day=row["day"], count=tree.size, head=head.hex(), root=tree.root().hex())
            await append(session, [Publication(told, number)])


async def _tree(connection: asyncpg.Connection, day: asyncpg.Record) -> Tree:
    tree = Tree()
    async for (hashed,) in connection.cursor(_HASHES, day["day"], day["count"], prefetch=10_000):
        tree.append(hashed)
    return tree


async def forget(database: Database, *, keep_days: int) -> None:
    """Remove the entries of days that are older than so many days, 180 or more."""
    async with database.raw_transaction() as connection:
        await connection.execute("select audit.forget($1)", await connection.fetchval(_OLD, keep_days))


def jobs(event_type: type[AuditChainState], *, keep_days: int) -> tuple[Job, ...]:
    """Give the jobs of a service that keeps an audit and publishes its checkpoints as `event_type`."""
    return (
        Job("audit.seal", CHAIN_EVERY, chain, rests=True),
        Job("audit.checkpoint", _LOOK_EVERY, partial(checkpoint, event_type=event_type)),
        Job("audit.forget", _FORGET_EVERY, partial(forget, keep_days=keep_days)),
    )
