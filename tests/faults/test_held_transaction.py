"""A write transaction that is held open: the relay waits for it, says so, and loses nothing (fault 17)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from database import new_id
from messaging import Worker, metrics, relay
from messaging.relay import RelayStuck
from tests.faults import broken
from tests.faults.stage import Stage, count, effects_consumer, running, until


@asynccontextmanager
async def held_open(stage: Stage) -> AsyncIterator[None]:
    """Write to the outbox in a transaction that commits after the block, behind all that commits within it."""
    step = (new_id(), 1)
    holder = await stage.database.connect()
    async with holder.transaction():
        await count(holder, [step])
        yield
    stage.accepted.append(step)
    await holder.close()


def waiting_seconds() -> tuple[float, float]:
    """Read the age of the oldest unpublished event, and how long a transaction has held the relay back."""
    return (
        metrics.OUTBOX_AGE.labels("members", "0")._value.get(),
        metrics.WRITE_TRANSACTION_AGE.labels("members")._value.get(),
    )


async def hold(stage: Stage, worker: Worker, seconds: float) -> None:
    """Hold a transaction open until the metrics tell of so many seconds, while others commit."""

    async def told() -> bool:
        return min(waiting_seconds()) >= seconds

    async with running(worker):
        async with held_open(stage):
            await stage.accept_many(50, versions=2)
            await until(told, seconds=seconds + 60)
            assert await stage.stream() == []
        await stage.until_published()
        await stage.until_acknowledged()


async def test_a_held_transaction_stalls_the_relay_shows_in_the_metrics_and_loses_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.1)
    await hold(stage, stage.worker(effects_consumer()), 0.5)
    assert await stage.differences() == []


@pytest.mark.fault
async def test_a_transaction_held_for_a_minute_raises_the_alarm_and_loses_nothing(stage: Stage) -> None:
    worker = stage.worker(effects_consumer())
    check = worker.checks()["relay"]
    alarmed = False

    async def watch() -> None:
        nonlocal alarmed
        while not alarmed:
            try:
                await check()
            except RelayStuck:
                alarmed = True
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    await hold(stage, worker, 60)
    watching.cancel()
    assert alarmed
    assert await stage.differences() == []


async def test_a_relay_that_asks_for_ids_above_the_last_loses_what_commits_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken.relay_asks_for_ids_above_the_last(monkeypatch.setattr)
    async with running(stage.worker(effects_consumer())):
        async with held_open(stage):
            await stage.accept_many(50, versions=2)
            await stage.until_effects(100)
        await stage.accept_many(1)
        await stage.until_effects(101)
        await asyncio.sleep(0.5)
    assert any("1 in the outbox, and not in the stream" in one for one in await stage.differences())
