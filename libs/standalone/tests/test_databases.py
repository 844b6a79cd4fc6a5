"""Every service's database has an audit, one of an earlier release too: the start makes what is missing."""

import asyncio
from uuid import uuid4

import asyncpg

from standalone import databases as own
from testkit.databases import TestDatabases


async def test_a_database_without_an_audit_gets_one_and_keeps_what_it_has(databases: TestDatabases) -> None:
    name = f"gateway_{uuid4().hex[:12]}"
    passwords = {name: "made-for-this-test"}
    superuser = await asyncpg.connect(databases.superuser_url)
    try:
        await superuser.execute(f"create role {name} login password 'made-for-this-test'")
        await superuser.execute(f"create database {name} owner {name}")
        service = databases.url(name, name).replace(f":{name}@", ":made-for-this-test@")
        connection = await asyncpg.connect(service)
        await connection.execute("create table kept (id integer)")
        await connection.close()
        for _ in range(2):
            await asyncio.to_thread(own.prepare, databases.superuser_url, passwords)
        connection = await asyncpg.connect(service)
        assert await connection.fetchval("select service from audit.origin") == name
        assert await connection.fetchval("select count(*) from kept") == 0
        await connection.close()
    finally:
        await superuser.execute(f"drop database if exists {name} with (force)")
        for role in (f"{name}_audit", name):
            await superuser.execute(f"drop role if exists {role}")
        await superuser.close()
