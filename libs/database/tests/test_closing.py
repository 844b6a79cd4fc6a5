"""What waits for the end of its transaction is written with it, in order, or not at all."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from database import Closing, Database, raw, write_last

LETTER = Closing(
    "insert into letter (place, words) values ($1, $2)",
    "insert into letter (place, words) select * from unnest($1::text[], $2::text[])",
)
STAMP = Closing("insert into stamp (worth) values ($1)", "insert into stamp (worth) select * from unnest($1::int[])")


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="post", pool_size=2, max_overflow=0, pool_timeout_seconds=5)
    async with opened.raw_transaction() as connection:
        await connection.execute(
            "create table letter (id int generated always as identity, place text, words text);"
            "create table stamp (id int generated always as identity, worth int check (worth > 0))"
        )
    yield opened
    await opened.close()


async def written(database: Database) -> tuple[list[str], list[int]]:
    async with database.raw_transaction() as connection:
        letters = await connection.fetch("select words from letter order by id")
        stamps = await connection.fetch("select worth from stamp order by id")
    return [row["words"] for row in letters], [row["worth"] for row in stamps]


async def seen_by(session: AsyncSession) -> int:
    return int(await (await raw(session)).fetchval("select count(*) from letter"))


async def test_it_is_written_at_the_end_in_the_order_in_which_it_came(database: Database) -> None:
    async with database.transaction() as session:
        await write_last(session, LETTER, [("county", "first")])
        await write_last(session, STAMP, [(1,)])
        await write_last(session, LETTER, [("branch", "second"), ("branch", "third")])
        await write_last(session, LETTER, [])
        assert await seen_by(session) == 0
    assert await written(database) == (["first", "second", "third"], [1])


async def test_no_rows_are_nothing_to_write(database: Database) -> None:
    async with database.transaction() as session:
        await write_last(session, LETTER, [])
    async with database.raw_transaction() as connection:
        await write_last(connection, LETTER, [])
    assert await written(database) == ([], [])


async def test_one_row_of_each_and_one_of_one_alone(database: Database) -> None:
    async with database.transaction() as session:
        await write_last(session, LETTER, [("county", "first")])
        await write_last(session, STAMP, [(7,)])
    async with database.transaction() as session:
        await write_last(session, LETTER, [("county", "second")])
    assert await written(database) == (["first", "second"], [7])


async def test_nothing_of_it_stands_when_the_transaction_fails(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await write_last(session, LETTER, [("county", "undone")])
            raise ZeroDivisionError
    with pytest.raises(asyncpg.CheckViolationError):
        async with database.transaction() as session:
            await session.execute(text("insert into letter (words) values ('undone too')"))
            await write_last(session, LETTER, [("county", "undone as well")])
            await write_last(session, STAMP, [(0,)])
    assert await written(database) == ([], [])


@pytest.mark.parametrize("joined", [False, True])
async def test_a_session_that_rolls_back_takes_everything_back(database: Database, joined: bool) -> None:
    async with database.transaction() as session:
        if joined:
            await session.execute(text("insert into letter (words) values ('undone')"))
        await (await raw(session)).execute("insert into letter (words) values ('undone too')")
        await write_last(session, LETTER, [("county", "undone as well")])
        await session.rollback()
    assert await written(database) == ([], [])


async def test_a_savepoint_keeps_what_came_before_it_and_takes_its_own_away(database: Database) -> None:
    async with database.transaction() as session:
        await write_last(session, LETTER, [("county", "before")])
        with pytest.raises(ZeroDivisionError):
            async with session.begin_nested():
                await write_last(session, LETTER, [("county", "undone")])
                raise ZeroDivisionError
        async with session.begin_nested():
            await write_last(session, LETTER, [("county", "within")])
        await write_last(session, LETTER, [("county", "after")])
    assert (await written(database))[0] == ["before", "within", "after"]


async def test_a_read_refuses_it_and_the_driver_writes_it_at_once(database: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with database.read() as session:
            await write_last(session, LETTER, [("county", "never")])
    async with database.raw_transaction() as connection:
        await write_last(connection, LETTER, [("county", "at once"), ("county", "too")])
        assert await connection.fetchval("select count(*) from letter") == 2


async def test_a_cancelled_transaction_leaves_nothing_behind_for_the_next(database: Database) -> None:
    async def send() -> None:
        async with database.transaction() as session:
            await (await raw(session)).execute("select pg_sleep(0.005)")
            await session.execute(text("insert into stamp (worth) select 1 from pg_sleep(0.005)"))
            await write_last(session, LETTER, [("county", "sent")])

    for step in range(40):
        task = asyncio.create_task(send())
        await asyncio.sleep(step * 0.0005)
        task.cancel()
        await asyncio.wait([task])
    letters, stamps = await written(database)
    assert len(letters) == len(stamps)
    for _ in range(4):
        await send()
    assert len((await written(database))[0]) == len(letters) + 4


async def test_what_follows_a_transaction_that_was_cancelled_while_it_began_is_kept(database: Database) -> None:
    async def send(words: str) -> None:
        async with database.transaction() as session:
            await write_last(session, LETTER, [("county", words)])

    await send("first")
    for steps in range(40):
        task = asyncio.create_task(send("cancelled"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await send(f"after {steps}")
    letters, _ = await written(database)
    assert [words for words in letters if words.startswith("after")] == [f"after {steps}" for steps in range(40)]
