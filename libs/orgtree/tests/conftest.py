"""A database with the tree's tables for each test, and a plain way to speak of organisations in tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

import orgtree
from database import Database
from testkit.databases import Template, TestDatabases

SOURCE = Path(orgtree.__file__).parent / "migrations.py"


def create_tables(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    orgtree.migrations.create_v1(operations)
    orgtree.migrations.create_v2(operations)


async def migrate(url: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(create_tables)
    await engine.dispose()


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("orgtree", migrate, sources=[SOURCE])


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="orgtree tests")
    yield opened
    await opened.close()
