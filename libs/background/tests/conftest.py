"""A database with letters that fall due."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from database import Database
from testkit.databases import Template, TestDatabases

_TABLE = """
    create table letter (
        letter_id int primary key, next_at timestamptz not null, attempts int not null default 0, sent boolean not null
    )
"""


async def make_letters(url: str) -> None:
    """Make the table."""
    connection = await asyncpg.connect(url)
    await connection.execute(_TABLE)
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("duetest", make_letters)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="test")
    yield opened
    await opened.close()
