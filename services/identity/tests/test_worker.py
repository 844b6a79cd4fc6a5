"""The worker: what identity defines is published and comes back into its own copy, as into every other service's."""

import asyncio

from sqlalchemy import text

from database import Database
from identity.app import SERVICE
from testkit.databases import TestDatabases

from .provider import settings_for
from .test_first_start import Fresh, empty, start


async def permissions_of(database: Database, role: str) -> list[str]:
    async with database.read() as session:
        found = text("select permission from role_permission where role = :role order by 1")
        return list((await session.scalars(found, {"role": role})).all())


async def test_the_roles_reach_identitys_own_copy_through_the_broker(
    databases: TestDatabases, fresh_database: Fresh, nats_url: str
) -> None:
    database = await empty(databases, fresh_database)
    await start(database)
    assert await permissions_of(database, "system_administrator") == []
    stop = asyncio.Event()
    async with SERVICE.worker(settings_for(database.dsn, nats_url=nats_url), database) as worker:
        working = asyncio.create_task(worker.run(stop))
        async with asyncio.timeout(20):
            while not await permissions_of(database, "system_administrator"):
                await asyncio.sleep(0.1)
        assert await permissions_of(database, "system_administrator") == [
            "gateway.operations.read",
            "identity.account.approve",
            "identity.account.open",
            "identity.client.register",
            "identity.role.approve",
        ]
        stop.set()
        await working
    await database.close()
