"""An entry takes its place once it is committed, whoever chains and however many; and what operators are told of it."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path

import asyncpg
import pytest

import audit
from audit import chaining
from audit.chain import Link, canonical
from audit.command import VerifyAudit, read, written
from audit.reading import heard_of, verify_database
from database import Database, KeyRing, new_id, utc_now
from webapi import CannotStart


async def test_what_commits_late_comes_after_what_committed_before_it(
    database: Database, superuser: asyncpg.Connection
) -> None:
    async with database.transaction() as late:
        await audit.record(late, audit.Entry(action="x.late"), now=utc_now())
        async with database.transaction() as early:
            await audit.record(early, audit.Entry(action="x.early"), now=utc_now())
        await chaining.chain(database)
    await chaining.chain(database)
    rows = await superuser.fetch("select action from audit.entry order by position")
    assert [row["action"] for row in rows] == ["x.early", "x.late"]
    assert (await verify_database(superuser, None, now=utc_now())).findings == []


async def test_many_sealers_at_once_make_one_chain(database: Database, superuser: asyncpg.Connection) -> None:
    async def write() -> None:
        for _ in range(20):
            async with database.transaction() as session:
                await audit.record(session, audit.Entry(action="x.written", actor=new_id()), now=utc_now())

    await asyncio.gather(*(write() for _ in range(3)), *(chaining.chain(database) for _ in range(5)))
    await chaining.chain(database)
    report = await verify_database(superuser, None, now=utc_now())
    assert (report.entries, report.findings) == (60, [])


async def test_the_database_and_the_verifier_write_an_entry_alike(
    database: Database, superuser: asyncpg.Connection
) -> None:
    full = audit.Entry(
        action="x.read",
        actor=new_id(),
        actor_role="officer",
        actor_organisation_id=new_id(),
        on_behalf_of=new_id(),
        assist_id=new_id(),
        subject=new_id(),
        object_id=new_id(),
        organisation_id=new_id(),
        purpose="contact",
        decision="refused",
        rule="outside_scope",
    )
    async with database.transaction() as session:
        await audit.record_all(session, [full, audit.Entry(action="x.least")], now=utc_now())
    await chaining.chain(database)
    columns = ", ".join(Link._fields)
    rows = await superuser.fetch(f"select {columns}, audit.canonical(e) as written from audit.entry e order by id")  # noqa: S608
    assert len(rows) == 2
    for row in rows:
        link = Link(*(row[name] for name in Link._fields))
        assert canonical(link).decode() == row["written"]


async def test_an_operator_is_told_what_is_wrong_and_the_command_fails(
    database: Database, superuser: asyncpg.Connection, tmp_path: Path
) -> None:
    async with database.transaction() as session:
        await audit.record_all(session, [audit.Entry(action="x.read")] * 3, now=utc_now())
    await chaining.chain(database)
    command, parser = VerifyAudit(), ArgumentParser()
    command.declare(parser)
    heard = tmp_path / "witnessed.json"
    heard.write_text(written(await heard_of(superuser, "tester", KeyRing.parse(KeyRing.generate()))))
    arguments = parser.parse_args(["--witnessed", str(heard)])
    assert "3 entries of 1 days are as they were written" in await command(None, database, arguments)
    await superuser.execute("update audit.entry set actor = uuidv7() where position = 2")
    with pytest.raises(CannotStart, match=r"entry 2 \(id 2\) was altered / 第2条\(编号2\)被改动"):
        await command(None, database, parser.parse_args([]))


def test_what_is_not_a_witness_s_word_is_refused() -> None:
    for text in ("{}", "[]", "not json", '{"keys": {}, "witnessed": [{}]}'):
        with pytest.raises(ValueError, match=r"audit-witnessed|JSON|unexpected|expected"):
            read(text)
