"""The transaction of a hot path keeps the promises of an ordinary one, however it is left."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from database import Database, raw


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, application_name="hot", pool_size=2, max_overflow=0, pool_timeout_seconds=5)
    async with database.raw_transaction() as connection:
        await connection.execute("create table tree (kind text)")
    yield database
    await database.close()


async def count(database: Database) -> int:
    async with database.read() as session:
        found: int = (await session.execute(text("select count(*) from tree"))).scalar_one()
    return found


async def test_it_commits_at_the_end_and_rolls_back_when_it_raises(database: Database) -> None:
    async with database.raw_transaction() as connection:
        await connection.execute("insert into tree values ('pear')")
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.raw_transaction() as connection:
            await connection.execute("insert into tree values ('plum')")
            await connection.execute("insert into meadow values ('plum')")
    assert await count(database) == 1


async def test_what_takes_a_session_takes_its_connection_too(database: Database) -> None:
    async with database.raw_transaction() as connection:
        assert await raw(connection) is connection


async def test_a_cancelled_one_leaves_nothing_behind_for_the_next(database: Database) -> None:
    async def plant() -> None:
        async with database.raw_transaction() as connection:
            await connection.execute("select pg_sleep(0.01)")
            await connection.execute("insert into tree values ('pear')")

    for step in range(40):
        task = asyncio.create_task(plant())
        await asyncio.sleep(step * 0.0005)
        task.cancel()
        await asyncio.wait([task])
    async with database.transaction() as session:
        idle = text(
            "select count(*) from pg_stat_activity"
            " where application_name = 'hot' and state like 'idle in%' and datname = current_database()"
        )
        assert (await session.execute(idle)).scalar_one() == 0
    before = await count(database)
    for _ in range(4):
        await plant()
    assert await count(database) == before + 4


async def test_connections_that_the_server_ended_are_replaced(database: Database) -> None:
    administration = await asyncpg.connect(database.dsn)
    try:
        for _ in range(2):
            await administration.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'hot' and datname = current_database()"
            )
            await asyncio.sleep(0.1)
            async with database.raw_transaction() as connection:
                await connection.execute("insert into tree values ('pear')")
    finally:
        await administration.close()
    assert await count(database) == 2
