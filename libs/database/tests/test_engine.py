"""What a transaction promises, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database import Database, new_id, raw
from testkit.proxy import TcpProxy


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="test", pool_size=2, max_overflow=0, transaction_timeout_seconds=2)
    async with opened.transaction() as session:
        await session.execute(text("create table thing (id int primary key)"))
    yield opened
    await opened.close()


async def count(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(text("select count(*) from thing"))).scalar_one())


async def test_what_the_session_and_its_driver_write_commits_together(database: Database) -> None:
    async with database.transaction() as session:
        await (await raw(session)).execute("insert into thing values (1)")
        await session.execute(text("insert into thing values (2)"))
        assert await count(database) == 0
    assert await count(database) == 2


async def test_an_error_rolls_back_what_both_wrote(database: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as session:
            await session.execute(text("insert into thing values (1)"))
            await (await raw(session)).execute("insert into thing values (1)")
    assert await count(database) == 0
    async with database.transaction() as session:
        await (await raw(session)).execute("insert into thing values (1)")
    assert await count(database) == 1


async def test_a_read_cannot_write_and_leaves_the_connection_as_it_was(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with database.read() as session:
            await session.execute(text("insert into thing values (1)"))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.read() as session:
            await (await raw(session)).execute("insert into thing values (1)")
    for number in range(4):
        async with database.transaction() as session:
            await session.execute(text("insert into thing values (:number)"), {"number": number})
    assert await count(database) == 4


async def test_a_read_sees_one_state_and_a_transaction_what_was_committed_meanwhile(database: Database) -> None:
    async def seen(reader: Any) -> tuple[int, int]:
        async with reader as session:
            before = (await session.execute(text("select count(*) from thing"))).scalar_one()
            async with database.transaction() as writing:
                await writing.execute(text("insert into thing select coalesce(max(id), 0) + 1 from thing"))
            return before, await (await raw(session)).fetchval("select count(*) from thing")

    assert await seen(database.read()) == (0, 0)
    assert await seen(database.transaction()) == (1, 2)


async def test_a_transaction_that_lasts_too_long_is_ended_by_the_server(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.transaction() as session:
            await session.execute(text("insert into thing values (1)"))
            await session.execute(text("select pg_sleep(3)"))
    assert await count(database) == 0


async def test_a_connection_of_ones_own_is_outside_the_pool(database: Database) -> None:
    connection = await database.connect()
    try:
        assert await connection.fetchval("select pg_try_advisory_lock(1)")
        async with database.read() as session:
            assert not (await session.execute(text("select pg_try_advisory_lock(1)"))).scalar_one()
    finally:
        await connection.close()


async def test_a_database_that_is_gone_does_not_answer_a_ping(database_url: str) -> None:
    gone = Database(database_url + "_gone", application_name="test")
    with pytest.raises(Exception, match="does not exist"):
        await gone.ping()
    await gone.close()


async def test_a_connection_in_use_is_closed_too_when_the_pool_is(database_url: str, database: Database) -> None:
    closing = Database(database_url, application_name="closing")
    used, go_on = asyncio.Event(), asyncio.Event()

    async def use() -> None:
        async with closing.read() as session:
            await session.execute(text("select 1"))
            used.set()
            await go_on.wait()

    using = asyncio.create_task(use())
    await used.wait()
    closed = asyncio.create_task(closing.close())
    await asyncio.sleep(0.1)
    go_on.set()
    await asyncio.gather(using, closed)
    async with database.read() as session:
        left = (
            "select count(*) from pg_stat_activity where application_name = 'closing' and datname = current_database()"
        )
        assert (await session.execute(text(left))).scalar_one() == 0


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert {identifier.version for identifier in made} == {7}


async def test_a_look_begins_no_transaction_and_leaves_its_connection_to_others(database: Database) -> None:
    for _ in range(4):  # more than the pool has
        async with database.look() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("select count(*) from thing") == 0
        with pytest.raises(asyncpg.UndefinedTableError):
            async with database.look() as connection:
                await connection.fetchval("select count(*) from nothing")
    async with database.transaction() as session:
        await session.execute(text("insert into thing values (1)"))
    assert await count(database) == 1


async def test_a_ping_is_one_statement(database: Database) -> None:
    asked: list[str] = []

    async with database.look() as connection, database.look() as other:
        for each in (connection, other):
            each.add_query_logger(lambda record: asked.append(record.query))
    await database.ping()
    await asyncio.sleep(0)  # the driver tells of a statement by the loop
    assert asked == ["select 1"]


async def test_a_silent_database_fails_each_ping_in_time_until_it_answers_again(database_url: str) -> None:
    async with TcpProxy(urlsplit(database_url).port or 0) as proxy:
        far = Database(proxy.through(database_url), application_name="far", pool_size=2)
        await far.ping()
        proxy.drop("to_client")
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(4):
                    await far.ping()
        await proxy.heal()
        async with asyncio.timeout(15):
            while True:
                try:
                    await far.ping()
                    break
                except (OSError, TimeoutError, asyncpg.InterfaceError):
                    await asyncio.sleep(0.1)
        await far.close()


async def test_a_look_cut_short_leaves_its_connection_usable(database: Database) -> None:
    async def look() -> None:
        async with database.look() as connection:
            await connection.execute("select pg_sleep(60)")

    for _ in range(3):
        looking = asyncio.create_task(look())
        async with database.read() as session:
            while not await (await raw(session)).fetchval(
                "select count(*) from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
            ):
                await (await raw(session)).execute("select pg_stat_clear_snapshot()")
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
    assert await count(database) == 0
