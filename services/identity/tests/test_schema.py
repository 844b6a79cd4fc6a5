"""The Alembic history makes exactly the tables that the code declares: no more and no less."""

from pathlib import Path

import asyncpg

import orgtree
from database import migrations
from identity import tables
from testkit.databases import Template, TestDatabases
from testkit.schemas import declared_by, differences, left_on_the_way_back

from .authenticator import set_up
from .conftest import MIGRATIONS
from .device import registered
from .phones import phones_of
from .provider import running
from .terminals import Device, Phone, register
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


async def test_the_way_back_leaves_nothing_whatever_was_in_use(
    databases: TestDatabases, database_template: Template
) -> None:
    async with databases.database(database_template) as url:
        async with running(url) as provider, phones_of(provider) as phones:
            person_id, username = await provider.open_person(("officer", orgtree.ROOT_ID))
            await phones.give(person_id)
            await Device(provider, await register(provider, "village-screen")).tokens_for(Phone(provider, username))
            _, tokens = await provider.signed_in()
            await registered(provider, tokens)
            _, tokens = await provider.signed_in()
            await set_up(provider, tokens)
        assert await left_on_the_way_back(url, MIGRATIONS) == []
