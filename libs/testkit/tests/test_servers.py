"""Shows that tests get real servers that are theirs alone."""

from collections.abc import Awaitable, Callable

import asyncpg
import nats
import pytest

from testkit.databases import Template, TestDatabases


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_an_empty_database_of_its_own(database_url: str, turn: int) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("create table only_once (id int)")
    await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_begins_without_streams(nats_url: str, turn: int) -> None:
    connection = await nats.connect(nats_url)
    jetstream = connection.jetstream()
    assert await jetstream.streams_info() == []
    await jetstream.add_stream(name=f"TEST_{turn}", subjects=["evt.>"])
    await connection.close()


async def test_a_template_is_migrated_once_and_copied_for_its_owner(
    databases: TestDatabases, fresh_database: Callable[[Template | None], Awaitable[str]]
) -> None:
    migrated: list[str] = []

    async def migrate(url: str) -> None:
        migrated.append(url)
        connection = await asyncpg.connect(url)
        await connection.execute("create table village (name text)")
        await connection.execute("insert into village values ('青山村')")
        await connection.close()

    template = await databases.template("testkit_own", migrate)
    assert await databases.template("testkit_own", migrate) == template
    for _ in range(2):
        connection = await asyncpg.connect(await fresh_database(template))
        assert await connection.fetchval("select current_user") == "testkit_own"
        assert await connection.fetchval("update village set name = '石桥村' returning old.name") == "青山村"
        await connection.close()
    assert len(migrated) == 1
