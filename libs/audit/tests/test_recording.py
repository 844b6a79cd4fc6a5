"""What a service may do with its audit: add to it and read it, and nothing else."""

import asyncpg
import pytest

import audit
from audit import Entry
from database import Database, new_id, raw, utc_now
from testkit.databases import TestDatabases


async def test_an_entry_stands_if_and_only_if_its_command_commits(database: Database) -> None:
    person = new_id()
    async with database.transaction() as session:
        await audit.record(session, Entry(action="x.kept", subject=person), now=utc_now())
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await audit.record(session, Entry(action="x.undone", subject=person), now=utc_now())
            raise ZeroDivisionError
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select action from audit.entry where subject = $1", person)
    assert [row["action"] for row in rows] == ["x.kept"]


async def test_many_entries_are_written_by_one_statement_in_their_order(database: Database) -> None:
    people = [new_id() for _ in range(3)]
    async with database.transaction() as session:
        entries = [Entry(action="x.read", subject=person, purpose="contact") for person in people]
        await audit.record_all(session, entries, now=utc_now())
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select subject, purpose from audit.entry order by id")
    assert [row["subject"] for row in rows] == people
    assert {row["purpose"] for row in rows} == {"contact"}


@pytest.mark.parametrize("words", ["张三", "read by Zhang San", "", "x" * 65])
def test_words_are_no_codes(words: str) -> None:
    with pytest.raises(ValueError, match="codes"):
        Entry(action="x.read", purpose=words)


FORBIDDEN = (
    "update audit.entry set actor = null",
    "delete from audit.entry",
    "truncate audit.entry",
    "drop table audit.entry",
    "alter table audit.entry disable trigger all",
    "alter table audit.entry add column note text",
    "insert into audit.entry (happened_at, action, decision, recorded_at) values (now(), 'x', 'allowed', '2000-01-01')",
    "insert into audit.entry (happened_at, action, decision, hash) values (now(), 'x', 'allowed', '')",
    "insert into audit.entry (id, happened_at, action, decision) overriding system value values (1, now(), 'x', 'x')",
    "update audit.day set count = 0",
    "insert into audit.day (day, genesis, count, head) values (now(), '', 0, '')",
    "update audit.witness set count = 0",
    "delete from audit.witness",
    "delete from audit.checkpoint",
    "drop schema audit cascade",
    "drop function audit.seal(integer)",
    "create or replace function audit.seal(most integer) returns integer language sql as 'select 0'",
    "create table audit.mine (id int)",
    "set role tester_audit",
    "set session_replication_role = replica",
    "select audit.forget(current_date - 100)",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_service_can_change_nothing_in_it(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await audit.record(session, Entry(action="x.kept"), now=utc_now())
    connection = await database.connect()
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.GeneratedAlwaysError)):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_provisioning_again_changes_nothing(database: Database, superuser: asyncpg.Connection) -> None:
    async with database.transaction() as session:
        await audit.record(session, Entry(action="x.kept"), now=utc_now())
    await superuser.execute(audit.script())
    assert await superuser.fetchval("select count(*) from audit.entry") == 1
    assert await superuser.fetchval("select pg_get_userbyid(relowner) from pg_class where relname = 'entry'") == (
        "tester_audit"
    )


async def test_provisioning_calls_nothing_that_the_service_put_in_its_way(
    database: Database, databases: TestDatabases, database_url: str, superuser: asyncpg.Connection
) -> None:
    connection = await database.connect()
    try:
        await connection.execute(
            """
            create table public.called (by_whom text);
            create function public.format(text, name) returns text language plpgsql as $$ begin
                insert into public.called values (current_user);
                return pg_catalog.format($1, $2);
            end $$
            """
        )
        name = await connection.fetchval("select current_database()")
        await connection.execute(f'alter database "{name}" set search_path = public, pg_catalog')
    finally:
        await connection.close()
    await audit.provision(databases.superuser_url_of(database_url))
    assert await superuser.fetch("select by_whom from public.called") == []


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 BC", "294276-01-01", "1999-12-31"])
async def test_a_time_that_no_verifier_can_write_down_is_not_recorded(
    superuser: asyncpg.Connection, moment: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute(
            f"insert into audit.entry (happened_at, action, decision) values ('{moment}', 'x', 'allowed')"  # noqa: S608
        )


@pytest.mark.parametrize("column", ["action", "purpose", "rule", "actor_role"])
async def test_the_table_takes_codes_alone_whoever_writes(database: Database, column: str) -> None:
    values = {"action": "x.kept", "purpose": None, "rule": None, "actor_role": None}
    insert = (
        "insert into audit.entry (happened_at, decision, action, purpose, rule, actor_role)"
        " values (now(), 'allowed', $1, $2, $3, $4)"
    )
    async with database.raw_transaction() as connection:
        for code in ("x", "x" * 64, "A-z_0.9"):
            await connection.execute(insert, *(values | {column: code}).values())
    for words in ("", "x" * 65, "张三", "two words", 'x","actor":"y', "x\n", "\nx", "é"):
        with pytest.raises(asyncpg.CheckViolationError, match="ck_entry_codes"):
            async with database.raw_transaction() as connection:
                await connection.execute(insert, *(values | {column: words}).values())
