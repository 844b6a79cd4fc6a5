"""PostgreSQL itself ends a statement by the deadline: a process that stands still cancels nothing."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from database import DEADLINE, Database, Deadline, raw


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="test", pool_size=1)
    yield opened
    await opened.close()


async def bounds(database: Database) -> tuple[str, str]:
    """Give what bounds a statement of a read, and of a transaction."""
    async with database.read() as session:
        assert await (await raw(session)).fetchval("show transaction_read_only") == "on"
        assert await (await raw(session)).fetchval("show transaction_isolation") == "repeatable read"
        reading = await (await raw(session)).fetchval("show statement_timeout")
    async with database.transaction() as session:
        return reading, await (await raw(session)).fetchval("show statement_timeout")


async def test_statements_are_bounded_by_what_is_left_and_those_after_it_are_not(database: Database) -> None:
    made = Deadline()
    token = DEADLINE.set(made)
    made.at = asyncio.get_running_loop().time() + 20
    for bound in await bounds(database):
        assert 10_000 < int(bound.removesuffix("ms").removesuffix("s").ljust(5, "0")) <= 20_000
    made.at = None
    assert await bounds(database) == ("0", "0")
    DEADLINE.reset(token)
    assert await bounds(database) == ("0", "0")


async def test_a_statement_that_lasts_longer_is_cancelled_and_takes_all_back(database: Database) -> None:
    made = Deadline()
    token = DEADLINE.set(made)
    async with database.transaction() as session:
        await (await raw(session)).execute("create table thing (id int)")
    made.at = asyncio.get_running_loop().time() + 0.3
    with pytest.raises(asyncpg.QueryCanceledError):
        async with database.transaction() as session:
            await (await raw(session)).execute("insert into thing values (1)")
            await (await raw(session)).execute("select pg_sleep(5)")
    DEADLINE.reset(token)
    async with database.read() as session:
        assert await (await raw(session)).fetchval("select count(*) from thing") == 0


async def test_a_beginning_that_fails_spoils_no_connection(database: Database) -> None:
    made = Deadline()
    token = DEADLINE.set(made)
    made.at = asyncio.get_running_loop().time() + 20
    with pytest.raises(asyncio.CancelledError):
        async with database.read():
            raise asyncio.CancelledError
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), database.read():
            pass
    DEADLINE.reset(token)
    assert await bounds(database) == ("0", "0")
