"""The Alembic history makes exactly the tables that the code declares: no more and no less."""

from pathlib import Path

import asyncpg

from database import migrations
from identity import tables
from testkit.databases import TestDatabases
from testkit.schemas import declared_by, differences

from .conftest import MIGRATIONS
from .test_first_start import Fresh


async def test_the_history_makes_the_tables_that_the_code_declares(
    databases: TestDatabases, fresh_database: Fresh
) -> None:
    async def leave_empty(_: str) -> None: ...

    url = await fresh_database(await databases.template("identity", leave_empty, sources=[Path(__file__)]))
    revisions = sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("0*.py"))
    assert await migrations.upgrade(url, MIGRATIONS) == revisions
    assert await migrations.upgrade(url, MIGRATIONS) == []
    declared = declared_by("identity")
    assert declared.tables.keys() == {table.__tablename__ for table in tables.ALL}
    assert await differences(url, declared) == []
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select count(*) from pg_constraint where contype = 'c'") >= 12
    await connection.close()
