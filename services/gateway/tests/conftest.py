"""A migrated gateway database for each test, and events as a consumer hands them over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from database import Database, migrations
from testkit.databases import Template, TestDatabases

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("gateway", lambda url: migrations.upgrade(url, MIGRATIONS), sources=[MIGRATIONS])


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="gateway")
    yield opened
    await opened.close()
