"""The worker publishes what the commands did and takes over roles and the tree, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import nats.js.errors
import orjson
import pytest_asyncio

import messaging
from contracts.identity import RoleDefinedV1
from database import Database, new_id
from learning.settings import Settings
from learning.worker import CONSUMERS, open_worker
from testkit.databases import Template
from webapi import Worker

from .county import COUNTY, County
from .lessons import lesson, published_course


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until(status: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if await status() == wanted:
                return
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def identity(fresh_database: Any, database_template: Template) -> AsyncIterator[Database]:
    """The database of the service that publishes roles; it needs no more than an outbox."""
    opened = Database(await fresh_database(database_template), application_name="identity")
    yield opened
    await opened.close()


async def test_a_role_that_identity_defines_holds_here(
    county: County, database: Database, identity: Database, settings: Settings, nats_url: str
) -> None:
    broker = await messaging.connect(nats_url, name="identity")
    reader = county.person(("reader", COUNTY))
    role = RoleDefinedV1(role_id=new_id(), role="reader", permissions=("learning.needs.read",))
    here = settings.model_copy(update={"nats_url": nats_url})

    async def status() -> int:
        return (await reader.get("/help-requests", organisation_id=str(COUNTY))).status_code

    async with (
        open_worker(here, database) as worker,
        working(worker),
        working(messaging.Worker("identity", identity, broker)),
    ):
        assert await status() == 403
        async with identity.transaction() as session:
            await messaging.append(session, [messaging.Publication(role, 1)])
        await until(status, 200)
    await broker.close()


async def test_what_was_done_reaches_the_stream_without_what_people_wrote(
    county: County, database: Database, settings: Settings, nats_url: str
) -> None:
    registrar = county.person(("registrar", COUNTY))
    await published_course(registrar, COUNTY, lesson(body="只在本服务保存的正文"))
    broker = await messaging.connect(nats_url, name="tests")
    here = settings.model_copy(update={"nats_url": nats_url})
    async with open_worker(here, database) as worker, working(worker):
        [event] = await _stream(broker, 1)
    await broker.close()
    assert event["type"] == "xiangqiao.learning.course.published.v1"
    assert "只在本服务保存的正文" not in orjson.dumps(event).decode()


def test_the_tree_affiliations_and_roles_are_consumed() -> None:
    assert set(CONSUMERS[0].filters) == {"identity", "members"}


async def _stream(broker: messaging.NatsConnection, count: int) -> list[dict[str, Any]]:
    """Read what the stream holds once it holds `count` events."""
    js = broker.client.jetstream()
    async with asyncio.timeout(20):
        while True:
            try:
                if (await js.stream_info("EVT_LEARNING")).state.messages >= count:
                    break
            except nats.js.errors.NotFoundError:  # the worker declares it a moment after its start
                pass
            await asyncio.sleep(0.05)
    messages = [await js.get_msg("EVT_LEARNING", sequence) for sequence in range(1, count + 1)]
    return [orjson.loads(message.data or b"") for message in messages]
