"""Where a consumer's batches take effect: in the live tables, or in shadow tables during a rebuild."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import asyncpg

from messaging import shadow

LABEL = """
    select case when generation = 1 then consumer else consumer || '@' || generation end
    from consumer_generation where consumer = $1
"""
_ENTER = "select pg_advisory_xact_lock_shared(hashtextextended('generation.' || $1, 0))"
_CLOSE = "select pg_advisory_lock(hashtextextended('generation.' || $1, 0))"
_OPEN = "select pg_advisory_unlock(hashtextextended('generation.' || $1, 0))"
_ENSURE_GENERATION = "insert into consumer_generation (consumer) values ($1) on conflict do nothing"
_WRITTEN = """
    select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables
    where schemaname = 'public' and relname not in ('parked', 'consumer_position') and relname !~ '^inbox_'
"""


class Space(Protocol):
    """The two ends of a batch's transaction; what it cannot process is parked under `name`."""

    name: str

    async def label(self, connection: asyncpg.Connection) -> str:
        """Give the name of the inbox space."""

    async def enter(self, connection: asyncpg.Connection) -> str:
        """Prepare the transaction; gives the name of the inbox space its events are marked in."""

    async def leave(self, connection: asyncpg.Connection) -> None:
        """Check the transaction before it commits."""


class LiveSpace:
    """The service's own tables, in the consumer's present generation."""

    def __init__(self, consumer: str) -> None:
        self.name = consumer

    async def enter(self, connection: asyncpg.Connection) -> str:
        """Give the present inbox space, which stays the present one until the transaction ends."""
        await connection.execute(_ENTER, self.name)
        return await self.label(connection)

    async def label(self, connection: asyncpg.Connection) -> str:
        """Give the present inbox space."""
        label = await connection.fetchval(LABEL, self.name)
        if label is None:
            await connection.execute(_ENSURE_GENERATION, self.name)
            label = await connection.fetchval(LABEL, self.name)
        return str(label)

    async def leave(self, connection: asyncpg.Connection) -> None:
        """Nothing to check."""


@asynccontextmanager
async def closed(connection: asyncpg.Connection, consumer: str) -> AsyncIterator[None]:
    """Hold back the consumer's live batches for the block, after the one under way.

    An advisory lock, not a row's: it takes no transaction id, so that no relay of the cluster is held back.
    """
    await connection.execute(_CLOSE, consumer)
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute(_OPEN, consumer)


async def turn_to_shadow(connection: asyncpg.Connection) -> None:
    """Have unqualified names find the shadow tables first until the transaction ends."""
    await connection.execute(f"set local search_path = {shadow.SCHEMA}, public")


class WroteToLiveTable(Exception):
    """A handler wrote to a table that is not among those being rebuilt; the text names it."""


class ShadowSpace:
    """The shadow tables of a rebuild: unqualified names find them first."""

    def __init__(self, label: str) -> None:
        self.name = label
        self._written: dict[str, int] = {}

    async def label(self, connection: asyncpg.Connection) -> str:  # noqa: ARG002 - as the live one has it
        """Give the rebuild's own."""
        return self.name

    async def enter(self, connection: asyncpg.Connection) -> str:
        """Turn the transaction to the shadow tables."""
        await turn_to_shadow(connection)
        self._written = dict(await connection.fetch(_WRITTEN))
        return self.name

    async def leave(self, connection: asyncpg.Connection) -> None:
        """Raise `WroteToLiveTable` when the transaction changed a live table: it must not commit."""
        for table, count in await connection.fetch(_WRITTEN):
            if count != self._written.get(table, 0):
                raise WroteToLiveTable(f"a handler writes to {table}, which is not among the tables to rebuild")
