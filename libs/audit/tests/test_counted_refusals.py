"""Tries of people without any such permission: counted by hour and actor, and one entry when the hour is over."""

import asyncio

import asyncpg
import pytest

import audit
from audit import chaining
from audit.entries import count_refusal
from database import Database, new_id


async def count(database: Database, attempt: audit.Entry) -> None:
    async with database.transaction() as session:
        await count_refusal(session, attempt)


async def test_an_hour_of_tries_is_one_entry_that_concerns_nobody(
    database: Database, superuser: asyncpg.Connection
) -> None:
    actor = new_id()
    attempt = audit.Entry(action="x.file.read", actor=actor, subject=new_id(), object_id=new_id(), purpose="contact")
    await asyncio.gather(*(count(database, attempt) for _ in range(20)))
    await count(database, audit.Entry(action="x.file.listed", actor=actor))
    await chaining.chain(database)
    assert await superuser.fetchval("select count(*) from audit.entry") == 0
    await superuser.execute("update audit.refusal set hour = hour - interval '1 hour'")
    await chaining.chain(database)
    rows = await superuser.fetch("select * from audit.entry order by id")
    named = ("action", "decision", "rule", "actor", "subject", "object_id", "purpose", "times")
    assert [tuple(row[name] for name in named) for row in rows] == [
        ("x.file.listed", "refused", "permission_missing", actor, None, None, None, 1),
        ("x.file.read", "refused", "permission_missing", actor, None, None, None, 20),
    ]
    assert [row["position"] for row in rows] == [1, 2]
    assert await superuser.fetchval("select count(*) from audit.refusal") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update audit.refusal set times = 1",
        "delete from audit.refusal",
        "insert into audit.refusal (hour, actor, action, times) values (now(), gen_random_uuid(), 'x', 1)",
        "insert into audit.entry (happened_at, action, decision, times) values (now(), 'x', 'refused', 1)",
    ],
)
async def test_a_service_counts_up_and_nothing_else(database: Database, statement: str) -> None:
    await count(database, audit.Entry(action="x.file.read", actor=new_id()))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.raw_transaction() as connection:
            await connection.execute(statement)


async def test_what_is_no_code_is_not_counted(database: Database) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="ck_refusal_action"):
        async with database.raw_transaction() as connection:
            await connection.execute("select audit.count_refusal($1, 'no code at all')", new_id())


async def test_a_service_does_not_start_on_the_audit_of_an_earlier_release(
    database: Database, superuser: asyncpg.Connection
) -> None:
    await audit.require_current(database)
    await superuser.execute("update audit.origin set revision = 1")
    with pytest.raises(Exception, match=r"provisioning\.sql"):
        await audit.require_current(database)
