"""Lists go on where the page before ended, each row once, and leave out what was not asked for."""

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import pytest_asyncio
from sqlalchemy import Table as CoreTable
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database import Database, Table, columns, count_of, narrowed, page_of, raw


class Letter(Table):
    """A row with an order that is not unique by itself."""

    __tablename__ = "letter"

    letter_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[int]
    box: Mapped[str]


LETTERS = [(UUID(int=number), number // 3, "red" if number % 2 else "blue") for number in range(1, 11)]


@pytest_asyncio.fixture
async def session(database_url: str) -> AsyncIterator[AsyncSession]:
    opened = Database(database_url, application_name="test")
    async with opened.transaction() as session:
        await (await session.connection()).run_sync(Letter.metadata.create_all, [cast("CoreTable", Letter.__table__)])
        insert = "insert into letter (letter_id, day, box) select * from unnest($1::uuid[], $2::int[], $3::text[])"
        assert count_of(await (await raw(session)).execute(insert, *columns(LETTERS))) == len(LETTERS)
        yield session
    await opened.close()


async def pages(session: AsyncSession, *, latest_first: bool) -> list[list[int]]:
    after: tuple[Any, ...] | None = None
    read: list[list[int]] = []
    while True:
        page = page_of(select(Letter), Letter.day, Letter.letter_id, after=after, limit=4, latest_first=latest_first)
        rows = (await session.scalars(page)).all()
        if not rows:
            return read
        read.append([row.letter_id.int for row in rows])
        after = (rows[-1].day, rows[-1].letter_id)


async def test_pages_follow_one_another_and_name_each_row_once(session: AsyncSession) -> None:
    assert await pages(session, latest_first=False) == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert await pages(session, latest_first=True) == [[10, 9, 8, 7], [6, 5, 4, 3], [2, 1]]


async def test_a_list_is_narrowed_by_what_is_asked_for_alone(session: AsyncSession) -> None:
    async def found(day: int | None, box: str | None) -> set[int]:
        chosen = narrowed(select(Letter), {Letter.day: day, Letter.box: box})
        return {row.letter_id.int for row in await session.scalars(chosen)}

    assert await found(None, None) == set(range(1, 11))
    assert await found(1, None) == {3, 4, 5}
    assert await found(1, "red") == {3, 5}
    assert await found(0, "blue") == {2}


async def test_the_number_of_rows_is_read_from_every_kind_of_statement(session: AsyncSession) -> None:
    connection = await raw(session)
    assert count_of(await connection.execute("update letter set box = 'green' where day = 0")) == 2
    assert count_of(await connection.execute("delete from letter where day = 3")) == 2
    assert count_of(await connection.execute("delete from letter where day = 99")) == 0
