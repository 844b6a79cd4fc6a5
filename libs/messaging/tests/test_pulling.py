"""Pulling: in order from the acknowledged floor, whatever was in doubt, and asking again whatever was refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from nats.js.errors import NotFoundError

from database import utc_now
from messaging import pulling, streams
from messaging.positions import START, Position
from messaging.publishing import Message, publish_batch
from messaging.pulling import Interrupted, Puller
from messaging.received import Arrival


@pytest_asyncio.fixture
async def puller(stage: Any) -> AsyncIterator[Puller]:
    await streams.declare_stream(stage.nats, "members")
    made = _puller(stage)
    yield made
    await made.end()


def _puller(stage: Any) -> Puller:
    consumer = stage.consumer()
    [subjects] = consumer.filters.values()
    return Puller(stage.nats, consumer.reader, stream="EVT_MEMBERS", durable="reader", subjects=subjects)


async def _publish(stage: Any, count: int) -> None:
    await stage.append_many(count)
    rows = await stage.fetch("delete from outbox returning event_id, subject, payload")
    await publish_batch(stage.nats, [Message(str(row[0]), row[1], None, row[2]) for row in rows])


async def _take(puller: Puller, count: int) -> list[Arrival]:
    taken: list[Arrival] = []
    async with asyncio.timeout(30):
        while len(taken) < count:
            taken += await puller.next(count - len(taken), seconds=5)  # none where a request has just expired
    return taken


def _sequences(arrivals: list[Arrival]) -> list[int]:
    return [arrival.delivery.stream_seq for arrival in arrivals]


async def test_what_was_not_acknowledged_comes_first_again_and_in_order(stage: Any, puller: Puller) -> None:
    await _publish(stage, 100)
    await puller.begin()
    taken = await _take(puller, 100)
    await puller.acknowledge(taken[:40])
    await puller.acknowledge(taken[60:70])
    await puller.end()
    await _publish(stage, 20)
    again = _puller(stage)
    await again.begin()
    assert _sequences(await _take(again, 80)) == list(range(41, 121))
    await again.end()


async def test_without_the_reset_new_events_would_overtake_those_not_acknowledged(
    stage: Any, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _publish(stage, 10)
    await puller.begin()
    await _take(puller, 10)
    await puller.end()
    await _publish(stage, 5)

    async def nothing(_self: Puller, _info: Any, _reached: Any) -> None:
        """Do not reset."""

    monkeypatch.setattr(Puller, "_reset", nothing)
    again = _puller(stage)
    await again.begin()
    again._next_delivery = 11
    assert _sequences(await _take(again, 5)) == list(range(11, 16))
    await again.end()


async def test_a_missing_delivery_interrupts(stage: Any, puller: Puller) -> None:
    await puller.begin()
    puller._next_delivery = 3
    await _publish(stage, 1)
    with pytest.raises(Interrupted, match="missing"):
        await puller.next(10, seconds=5)


async def test_a_deleted_consumer_interrupts_and_is_made_again_from_the_start(stage: Any, puller: Puller) -> None:
    await _publish(stage, 5)
    await puller.begin()
    await puller.acknowledge(await _take(puller, 5))
    await streams.request(stage.nats, "CONSUMER.DELETE.EVT_MEMBERS.reader")
    with pytest.raises(Interrupted, match="409"):
        await puller.next(10, seconds=5)
    await puller.begin()
    assert _sequences(await _take(puller, 5)) == [1, 2, 3, 4, 5]


async def test_an_expired_request_is_asked_again(stage: Any, puller: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_REQUEST", b'{"batch": 1000, "expires": 300000000}')
    await puller.begin()
    assert await puller.next(10, seconds=1) == []
    await asyncio.sleep(0.3)
    assert await puller.next(10, seconds=0.1) == []
    await _publish(stage, 3)
    assert len(await _take(puller, 3)) == 3


async def test_requests_that_went_silent_are_asked_again(
    stage: Any, puller: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def into_the_void(self: Puller) -> None:
        self._owed = 3000

    monkeypatch.setattr(Puller, "_ask", into_the_void)
    await puller.begin()
    monkeypatch.undo()
    monkeypatch.setattr(pulling, "SILENCE_SECONDS", 0.1)
    await _publish(stage, 3)
    assert await puller.next(10, seconds=0.3) == []
    assert len(await _take(puller, 3)) == 3


async def _floor(stage: Any) -> int:
    info = await streams.request(stage.nats, "CONSUMER.INFO.EVT_MEMBERS.reader")
    return int(info["ack_floor"]["stream_seq"])


async def _until_floor(stage: Any, floor: int) -> None:
    async def acknowledged() -> bool:
        return await _floor(stage) == floor

    await stage.until(acknowledged)


async def test_a_floor_beyond_the_streams_end_reads_the_stream_from_its_start(stage: Any, puller: Puller) -> None:
    await _publish(stage, 5)
    await puller.begin()
    await puller.acknowledge(await _take(puller, 5))
    await puller.end()
    await _until_floor(stage, 5)
    await puller._reset({"ack_floor": {"stream_seq": 9}}, None)
    assert await _floor(stage) == 0


async def test_a_stream_that_is_not_there_is_told_so(stage: Any) -> None:
    with pytest.raises(NotFoundError):
        await _puller(stage).begin()


async def test_a_stream_is_declared_as_decided_and_again_without_harm(stage: Any) -> None:
    await streams.declare_stream(stage.nats, "members")
    await streams.declare_stream(stage.nats, "members")
    config = (await streams.request(stage.nats, "STREAM.INFO.EVT_MEMBERS"))["config"]
    decided = {
        "subjects": ["evt.members.>"],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "deny_delete": True,
        "allow_atomic": True,
        "num_replicas": 1,
        "max_age": 14 * 24 * 3600 * 10**9,
        "duplicate_window": 600 * 10**9,
    }
    assert {key: config[key] for key in decided} == decided


async def test_a_consumer_is_declared_as_decided(stage: Any, puller: Puller) -> None:
    await puller.begin()
    config = (await streams.request(stage.nats, "CONSUMER.INFO.EVT_MEMBERS.reader"))["config"]
    decided = {
        "durable_name": "reader",
        "ack_policy": "explicit",
        "ack_wait": 60 * 10**9,
        "max_ack_pending": 8000,
        "max_deliver": -1,
        "filter_subjects": ["evt.members.*.organisation.*"],
    }
    assert {key: config.get(key, [config.get("filter_subject")]) for key in decided} == decided


async def test_a_database_that_went_back_gets_again_what_it_had_acknowledged_since(stage: Any, puller: Puller) -> None:
    await _publish(stage, 20)
    await puller.begin(START)
    await puller.acknowledge(taken := await _take(puller, 20))
    then = puller.position_of(taken[11])
    await puller.end()
    await _until_floor(stage, 20)
    again = _puller(stage)
    await again.begin(then)
    assert _sequences(await _take(again, 8)) == list(range(13, 21))
    await again.end()


async def test_a_database_that_knows_another_stream_gets_all_that_this_one_has(stage: Any, puller: Puller) -> None:
    await _publish(stage, 5)
    await puller.begin(START)
    await puller.acknowledge(await _take(puller, 5))
    await puller.end()
    await _until_floor(stage, 5)
    again = _puller(stage)
    await again.begin(Position(utc_now() - timedelta(days=1), 5))
    assert _sequences(await _take(again, 5)) == [1, 2, 3, 4, 5]
    await again.end()
