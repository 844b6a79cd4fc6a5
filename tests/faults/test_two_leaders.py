"""Two leaders at once: the session of a lock is cut while its holder is in the middle of something (fault 19)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio

from database import Database
from messaging import Worker, publishing, pulling, streams
from messaging.inbox import Inbox
from tests.faults import broken
from tests.faults.stage import Stage, effects_consumer, running


class Held:
    """Holds the first call of something, by whoever makes it, until it is let go; further calls pass."""

    def __init__(self, act: Any) -> None:
        self._act = act
        self._first = True
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()

    async def __call__(self, *arguments: Any) -> Any:
        if self._first:
            self._first = False
            self.begun.set()
            await self.let_go.wait()
        return await self._act(*arguments)


@pytest_asyncio.fixture
async def rival(stage: Stage, database_url: str) -> AsyncIterator[Worker]:
    """Make a second worker, as in another process, with connections of its own."""
    database = Database(database_url, application_name="rival")
    yield Stage(database, stage.nats).worker(effects_consumer())
    await database.close()


async def lead_twice(stage: Stage, rival: Worker, held: Held) -> None:
    """Hold the first leader in the middle, cut its lock, let the rival lead, and then let the first go on."""
    aggregates = await stage.accept_many(50, versions=4)
    async with running(stage.worker(effects_consumer())):
        await asyncio.wait_for(held.begun.wait(), 30)
        await stage.cut_lock_sessions()
        async with running(rival):
            for version in range(5, 9):
                await stage.accept(*[(one, version) for one in aggregates])
            await stage.until_effects(400)
            held.let_go.set()
            for version in range(9, 11):
                await stage.accept(*[(one, version) for one in aggregates])
            await stage.until_effects(500)
            await stage.until_published()
            await stage.until_acknowledged()
            await asyncio.sleep(0.5)  # for what the first leader still sends


def held_relay(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold the first batch on its way to the broker."""
    held = Held(publishing.publish_batch)
    monkeypatch.setattr(publishing, "publish_batch", held)
    return held


def held_consumer(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold the first batch on its way into the database; what the broker sent to its holder comes to others soon."""
    monkeypatch.setattr(streams, "ACK_WAIT", timedelta(seconds=1))
    monkeypatch.setattr(pulling, "_REQUEST", orjson.dumps({"batch": streams.BATCH_SIZE, "expires": 10**9}))
    held = Held(Inbox.apply)

    async def apply(self: Inbox, arrivals: Sequence[Any], position: Any) -> Any:
        return await held(self, arrivals, position)

    monkeypatch.setattr(Inbox, "apply", apply)
    return held


async def test_two_relays_that_lead_one_shard_publish_each_event_once_and_in_order(
    stage: Stage, rival: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lead_twice(stage, rival, held_relay(monkeypatch))
    assert await stage.differences() == []


async def test_without_message_ids_two_relays_that_lead_one_shard_publish_twice(
    stage: Stage, rival: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.messages_without_ids(monkeypatch.setattr)
    await lead_twice(stage, rival, held_relay(monkeypatch))
    found = await stage.differences()
    assert any("twice in the stream" in one for one in found)


async def test_two_consumers_that_lead_one_stream_have_each_effect_once_and_in_order(
    stage: Stage, rival: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lead_twice(stage, rival, held_consumer(monkeypatch))
    assert await stage.differences() == []


async def test_without_the_inbox_two_consumers_that_lead_one_stream_have_effects_twice(
    stage: Stage, rival: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.inbox_lets_all_in(monkeypatch.setattr)
    broken.batches_stand_anywhere(monkeypatch.setattr)
    await lead_twice(stage, rival, held_consumer(monkeypatch))
    assert any("with an effect more than once" in one for one in await stage.differences())
