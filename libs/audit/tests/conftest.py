"""A database with an audit, as its service uses it and as the superuser can break it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from database import Database
from testkit.databases import Template, TestDatabases


async def _nothing(_: str) -> None: ...


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("tester", _nothing)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, application_name="test")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def superuser(databases: TestDatabases, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(databases.superuser_url_of(database_url))
    yield connection
    await connection.close()
