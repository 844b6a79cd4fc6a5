"""The worker: its parts start again, jobs have one leader, and readiness tells the truth."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from background import Ends, Job
from database import Database
from messaging import Consumer, Worker, connect, streams
from messaging.inbox import Inbox
from messaging.worker import PartFailing
from testkit.proxy import TcpProxy


async def test_a_part_that_crashes_is_started_again_and_told(
    stage: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    apply, crashes = Inbox.apply, 0

    async def crash_at_first(self: Inbox, arrivals: Any, position: Any) -> Any:
        nonlocal crashes
        crashes += 1
        if crashes == 1:
            raise AssertionError("a bug")
        return await apply(self, arrivals, position)

    monkeypatch.setattr(Inbox, "apply", crash_at_first)
    await stage.append_many(5)
    with caplog.at_level(logging.ERROR):
        async with stage.running(stage.worker(stage.consumer())):
            await stage.until_ledger(5)
    assert [record.__dict__["part"] for record in caplog.records if record.message == "part_failed"] == [
        "consumer.reader.EVT_MEMBERS"
    ]


async def test_a_part_that_fails_for_long_makes_the_worker_unready_until_it_recovers(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.worker._FAILING_SECONDS", 1.0)
    worker = stage.worker()
    check, broken = worker.checks()["parts"], True
    run = worker._publisher.run

    async def fail(stop: asyncio.Event) -> None:
        if broken:
            raise RuntimeError
        await run(stop)

    worker._publisher.run = fail

    async def is_ready() -> bool:
        try:
            await check()
        except PartFailing:
            return False
        return True

    async def is_not_ready() -> bool:
        return not await is_ready()

    async with stage.running(worker):
        assert await is_ready()
        await stage.until(is_not_ready)
        broken = False
        await stage.until(is_ready)


async def test_a_job_runs_at_its_interval_in_one_worker_and_goes_on_after_a_failure(
    stage: Any, database_url: str
) -> None:
    other = Database(database_url, application_name="other")
    runs: dict[str, int] = {"first": 0, "second": 0}

    def job(who: str) -> Job:
        async def run(_: Database) -> None:
            runs[who] += 1
            if runs[who] == 1:
                raise RuntimeError

        return Job("count", timedelta(seconds=0.1), run)

    first = Worker("members", stage.database, stage.nats, jobs=[job("first")])
    second = Worker("members", other, stage.nats, jobs=[job("second")])
    async with stage.running(first):

        async def leads() -> bool:
            return runs["first"] >= 3

        await stage.until(leads)
        async with stage.running(second):
            await asyncio.sleep(0.5)
            assert runs["second"] == 0
    await other.close()


async def test_what_a_job_found_to_end_is_told_by_who_leads_it(stage: Any) -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC)

    async def look(_: Database) -> Ends:
        return Ends({"signing_key": end})

    worker = Worker("members", stage.database, stage.nats, jobs=[Job("look", timedelta(hours=1), look)])

    async def is_told() -> bool:
        return worker.figures().ends == {"signing_key": end}

    async with stage.running(worker):
        await stage.until(is_told)
    assert worker.figures().ends == {}


async def test_a_worker_that_is_cancelled_leaves_nothing_running(stage: Any) -> None:
    await streams.declare_stream(stage.nats, "members")  # after which the connection has all its own tasks
    before = asyncio.all_tasks()
    running = asyncio.create_task(stage.worker(stage.consumer()).run(asyncio.Event()))
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert asyncio.all_tasks() - before == set()


async def test_another_worker_takes_over_when_the_leader_goes(stage: Any, database_url: str) -> None:
    other = Database(database_url, application_name="other")
    heir = stage.__class__(other, stage.nats)
    async with stage.running(heir.worker(heir.consumer())):
        async with stage.running(stage.worker(stage.consumer())):
            await stage.append_many(3)
            await stage.until_ledger(3)
        await stage.append_many(3)
        await stage.until_ledger(6)
    await other.close()


async def test_readiness_follows_the_broker_and_recovers_by_itself(stage: Any, nats_url: str) -> None:
    async with TcpProxy(int(nats_url.rpartition(":")[2])) as proxy:
        nats = await connect(proxy.through(nats_url), name="worker")
        reader = stage.__class__(stage.database, nats)
        worker = reader.worker(reader.consumer())
        check = worker.checks()["nats"]
        async with stage.running(worker):
            await check()
            await proxy.refuse()
            with pytest.raises(ConnectionError):
                await check()
            await stage.append_many(3)
            await proxy.heal()
            await stage.until_ledger(3)
            await check()
        await nats.close()


async def test_a_worker_starts_without_a_broker_and_takes_up_work_when_it_comes(
    stage: Any, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.connection.FIRST_ATTEMPT_SECONDS", 0.3)
    async with TcpProxy(int(nats_url.rpartition(":")[2])) as proxy:
        await proxy.refuse()
        nats = await connect(proxy.through(nats_url), name="worker")
        reader = stage.__class__(stage.database, nats)
        worker = reader.worker(reader.consumer())
        async with stage.running(worker):
            with pytest.raises(ConnectionError):
                await worker.checks()["nats"]()
            await stage.append_many(2)
            await proxy.heal()
            await stage.until_ledger(2)
        await nats.close()


async def test_lag_and_outbox_are_measured_and_advisories_kept(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.worker._MEASURE_SECONDS", 0.1)
    monkeypatch.setattr("messaging.relay.MEASURE_SECONDS", 0.1)
    busy = asyncio.Event()

    async def block(_session: Any, _received: Any) -> None:
        await busy.wait()

    stage.handle = block
    await stage.append_many(4)

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    async with stage.running(stage.worker(stage.consumer("lagging"))):

        async def lags() -> bool:
            return value("messaging_consumer_lag", consumer="lagging", stream="EVT_MEMBERS") == 4

        async def shipped() -> bool:
            return value("messaging_outbox_depth", service="members", shard="0") == 0

        async with stage.running(stage.worker(stage.consumer("lagging"))):  # a second one tells it, too
            await stage.until(lags)
        assert await lags(), "it went with the worker that does not lead"
        await stage.until(shipped)
        info = await streams.request(stage.nats, f"STREAM.INFO.{streams.ADVISORY_STREAM}")
        assert info["config"]["subjects"] == streams.ADVISORY_SUBJECTS
        busy.set()


async def test_readiness_fails_without_a_database(stage: Any) -> None:
    nowhere = Database("postgresql://nobody:x@127.0.0.1:1/none", application_name="test")
    checks = Worker("members", nowhere, stage.nats).checks()
    with pytest.raises((OSError, TimeoutError)):
        await checks["database"]()
    await checks["relay"]()
    await nowhere.close()


def test_names_of_consumers_are_unique(stage: Any) -> None:
    with pytest.raises(ValueError, match="unique"):
        stage.worker(stage.consumer("same"), stage.consumer("same"))


def test_a_consumer_without_handlers_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no handlers"):
        Consumer("empty", handlers={})
