"""Events applied once more: all that the streams hold, whatever was received, and nothing left behind on the broker."""

from collections.abc import Sequence
from typing import Any

import pytest
from nats.js.errors import NotFoundError
from sqlalchemy.ext.asyncio import AsyncSession

from background import open_session, try_lock
from contracts.identity import PersonErasedV1
from database import Database, new_id
from messaging import NatsConnection, Publication, Received, Worker, append, apply_again
from messaging.rebuilding import RebuildUnderWay
from messaging.received import Handlers
from messaging.streams import request
from testkit.workers import working


async def test_every_event_is_applied_again_and_the_reader_is_removed(database: Database, nats: NatsConnection) -> None:
    people = [new_id() for _ in range(5)]
    heard: list[Any] = []

    async def hear(_: AsyncSession, batch: Sequence[Received[PersonErasedV1]]) -> None:
        heard.extend(each.event.person_id for each in batch)

    handlers: Handlers = {PersonErasedV1: hear}
    assert await apply_again(database, nats, "members", handlers) == 0  # identity has published nothing yet
    async with database.transaction() as session:
        await append(session, [Publication(PersonErasedV1(person_id=person), 1) for person in people])
    async with working(Worker("identity", database, nats)):
        while await apply_again(database, nats, "members", handlers) < len(people):
            heard.clear()
    assert heard == people
    heard.clear()
    assert await apply_again(database, nats, "members", handlers) == len(people)
    assert heard == people
    with pytest.raises(NotFoundError):
        await request(nats, "CONSUMER.INFO.EVT_IDENTITY.members-rebuild")


async def test_it_waits_for_no_rebuild(database: Database, nats: NatsConnection) -> None:
    connection = await open_session(database)
    assert await try_lock(connection, "rebuild")
    with pytest.raises(RebuildUnderWay):
        await apply_again(database, nats, "members", {PersonErasedV1: _never})
    await connection.close()


async def _never(_: AsyncSession, batch: Sequence[Received[Any]]) -> None:
    raise AssertionError(len(batch))
