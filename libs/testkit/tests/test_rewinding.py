"""A database that is given to a second test holds what it held for the first."""

import asyncpg
import pytest
import pytest_asyncio

from testkit.databases import Template, TestDatabases
from testkit.rewinding import SchemaChanged

SCHEMA = """
create table village (name text primary key, length int generated always as (length(name)) stored);
create table visit (visit_id bigint generated always as identity primary key, village text not null references village);
create function refuse() returns trigger language plpgsql as $$ begin raise exception 'kept for ever'; end $$;
create trigger visit_stays before delete or update on visit for each row execute function refuse();
insert into village values ('青山村'), ('石桥村');
insert into visit (village) values ('青山村');
"""
HELD = """
select (select array_agg(v::text order by name) from village v), (select array_agg(v::text) from visit v),
       (select array_agg(o::text) from audit.origin o), nextval('visit_visit_id_seq')
"""


async def held(url: str, statement: str = "select") -> asyncpg.Record:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    found = await connection.fetchrow(HELD)
    await connection.close()
    return found


@pytest_asyncio.fixture
async def template(databases: TestDatabases) -> Template:
    async def migrate(url: str) -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(SCHEMA)
        await connection.close()

    return await databases.template("testkit_rewinding", migrate)


@pytest.mark.parametrize(
    "change",
    [
        "insert into village values ('新村')",
        "update village set name = '改名村' where name = '石桥村'",
        "delete from village where name = '石桥村'",
        "insert into visit (village) values ('石桥村')",
        "select setval('visit_visit_id_seq', 99)",
        "delete from audit.origin",
    ],
)
async def test_no_row_and_no_number_of_a_test_is_left(
    databases: TestDatabases, template: Template, change: str
) -> None:
    async with databases.shared(template) as database:
        superuser = databases.superuser_url_of(database.url)
        before = await held(superuser)
        await database.rewind()
        assert await held(superuser, change) != before
        await database.rewind()
        assert await held(superuser) == before


@pytest.mark.parametrize(
    "change",
    [
        "create table hamlet (name text)",
        "drop table visit",
        "truncate visit",
        "alter table village add column note text",
        "alter table visit disable trigger visit_stays",
        "alter table village add check (name <> '')",
        "create index on visit (village)",
        "create or replace function refuse() returns trigger language plpgsql as $$ begin return new; end $$",
        "grant select on village to public",
        "create schema hidden",
        "do $$ begin execute format('alter database %I set search_path = public', current_database()); end $$",
    ],
)
async def test_a_database_whose_schema_a_test_changed_is_given_to_no_other(
    databases: TestDatabases, template: Template, change: str
) -> None:
    async with databases.database(template) as changed:
        await held(databases.superuser_url_of(changed))
        connection = await asyncpg.connect(databases.superuser_url_of(changed))
        await connection.execute(change)
        await connection.close()
    async with databases.database(template) as other:
        assert other != changed
        assert (await held(other))["nextval"] == 2


async def test_a_database_that_tests_share_must_keep_its_schema(databases: TestDatabases, template: Template) -> None:
    async with databases.shared(template) as database:
        await held(database.url, "create table hamlet (name text)")
        with pytest.raises(SchemaChanged):
            await database.rewind()


async def test_what_a_test_left_open_ends_before_another_has_its_database(
    databases: TestDatabases, template: Template
) -> None:
    async with databases.database(template) as url:
        left = await asyncpg.connect(url)
        await left.execute("begin; insert into village values ('新村')")
    async with databases.database(template) as again:
        assert again == url
        assert left.is_closed()
        assert len((await held(again))[0]) == 2
