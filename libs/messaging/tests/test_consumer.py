"""A batch's effect: exactly once, in order within an aggregate, whatever fails on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, new_id, raw, utc_now
from messaging import connect, inbox, reading, streams
from messaging.pulling import Interrupted, Puller
from messaging.reading import ConsumerFailing
from testkit.envelopes import around
from testkit.proxy import TcpProxy


def in_order(ledger: list[tuple[Any, int]]) -> bool:
    """Say whether each aggregate's versions go up by one, from 1, each once."""
    last: dict[Any, int] = {}
    for aggregate, version in ledger:
        if version != last.get(aggregate, 0) + 1:
            return False
        last[aggregate] = version
    return True


async def test_an_event_delivered_twice_takes_effect_once(stage: Any) -> None:
    event = stage.established()
    envelope = around(event, event_id=new_id(), version=1, time=utc_now())
    payload = envelope.model_dump_json(exclude_none=True).encode()
    for _ in range(3):
        await stage.publish_raw(payload)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
        await stage.publish_raw(payload)
        await asyncio.sleep(0.5)
    assert await stage.ledger() == [(event.organisation_id, 1)]
    assert await stage.value("select handled from projection") == 1


async def test_an_event_of_yesterday_is_known_today(stage: Any) -> None:
    yesterday = utc_now() - timedelta(days=1)
    envelope = around(stage.established(), event_id=new_id(), version=1, time=yesterday)
    await stage.publish_raw(envelope.model_dump_json(exclude_none=True).encode())
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(1)
        await stage.publish_raw(envelope.model_dump_json(exclude_none=True).encode())
        await asyncio.sleep(0.5)
    assert await stage.value("select day from inbox") == yesterday.date()
    assert len(await stage.ledger()) == 1


async def test_events_of_several_types_keep_their_aggregates_order(stage: Any) -> None:
    organisations = [new_id() for _ in range(40)]
    publications = []
    for version in range(1, 11):
        make = (stage.renamed, stage.moved, stage.established)[version % 3]
        publications += [(make(one), version) for one in organisations]
    await stage.append(*publications)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(400)
    assert in_order(await stage.ledger())


async def test_two_consumers_each_receive_everything(stage: Any) -> None:
    await stage.append_many(10)
    async with stage.running(stage.worker(stage.consumer("one"), stage.consumer("two"))):
        await stage.until_ledger(20)
    assert await stage.value("select count(distinct consumer) from inbox") == 2


async def test_a_consumer_that_dies_between_commit_and_acknowledgement_repeats_nothing(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisations = await stage.append_many(200)
    await stage.append(*[(stage.renamed(one), 2) for one in organisations])
    acknowledge, deaths = Puller.acknowledge, 0

    async def die_at_first(self: Puller, arrivals: Any) -> None:
        nonlocal deaths
        deaths += 1
        if deaths <= 2:
            raise Interrupted("killed between commit and acknowledgement")
        await acknowledge(self, arrivals)

    monkeypatch.setattr(Puller, "acknowledge", die_at_first)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(400)

        async def acknowledged() -> bool:
            info = await streams.request(stage.nats, "CONSUMER.INFO.EVT_MEMBERS.reader")
            return bool(info["num_ack_pending"] == 0 and info["num_pending"] == 0)

        await stage.until(acknowledged)
    assert deaths > 2
    assert in_order(await stage.ledger())
    assert len(await stage.ledger()) == 400


async def test_without_the_inbox_a_repeated_delivery_would_take_effect_twice(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def let_all_in(_connection: Any, _label: str, arrivals: Any) -> list[Any]:
        return list(arrivals)

    monkeypatch.setattr(inbox, "enter", let_all_in)
    envelope = around(stage.established(), event_id=new_id(), version=1, time=utc_now())
    for _ in range(2):
        await stage.publish_raw(envelope.model_dump_json(exclude_none=True).encode())
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(2)


@pytest.mark.parametrize("error", [ConnectionResetError(), asyncpg.DeadlockDetectedError()])
async def test_a_passing_failure_parks_nothing_and_the_batch_comes_through_later(stage: Any, error: Exception) -> None:
    organisations = await stage.append_many(30)
    await stage.append(*[(stage.renamed(one), 2) for one in organisations])
    remaining = 2

    def fail(_: Any) -> Exception | None:
        nonlocal remaining
        remaining -= 1
        return error if remaining >= 0 else None

    stage.fails = fail
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(60)
    assert await stage.value("select count(*) from parked") == 0
    assert in_order(await stage.ledger())


async def test_a_batch_that_takes_too_long_is_taken_in_smaller_pieces(stage: Any) -> None:
    sizes: list[int] = []
    handle = stage.handle

    async def refuse_many(session: AsyncSession, received: Any) -> None:
        sizes.append(len(received))
        if len(received) > 100:
            raise asyncpg.QueryCanceledError
        await handle(session, received)

    stage.handle = refuse_many
    await stage.append_many(600)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(600)
    assert await stage.value("select count(*) from parked") == 0
    assert any(size > 100 for size in sizes)


async def test_a_fault_that_shows_at_commit_only_parks_its_own_event(stage: Any) -> None:
    organisations = await stage.append_many(40)
    poison = organisations[17]
    async with stage.database.transaction() as session:
        await session.execute(
            text("create table deferred (id uuid, good bool, unique (good) deferrable initially deferred)")
        )
        await session.execute(text("insert into deferred values (null, false)"))
    handle = stage.handle

    async def write_deferred(session: AsyncSession, received: Any) -> None:
        await handle(session, received)
        for one in received:
            if one.event.organisation_id == poison:
                await session.execute(text("insert into deferred values (null, false)"))

    stage.handle = write_deferred
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(39)
    assert await stage.value("select aggregate_id from parked") == poison


async def test_a_broken_connection_to_the_broker_leaves_no_gap_and_no_disorder(stage: Any, nats_url: str) -> None:
    organisations = [new_id() for _ in range(30)]
    async with TcpProxy(int(nats_url.rpartition(":")[2])) as proxy:
        nats = await connect(proxy.through(nats_url), name="consumer")
        reader = stage.__class__(stage.database, nats)
        async with stage.running(stage.worker()), stage.running(reader.worker(reader.consumer())):
            for version in range(1, 41):
                await stage.append(*[(stage.renamed(one), version) for one in organisations])
                if version % 13 == 0:
                    await proxy.cut()
                await asyncio.sleep(0.02)
            await stage.until_ledger(1200)
        await nats.close()
    assert len(await stage.ledger()) == 1200
    assert in_order(await stage.ledger())


async def test_two_pullers_and_a_cut_lock_session_apply_each_event_once_in_order(stage: Any, database_url: str) -> None:
    other = Database(database_url, application_name="other")
    second = stage.__class__(other, stage.nats)
    organisations = [new_id() for _ in range(30)]
    async with stage.running(stage.worker(stage.consumer())), stage.running(second.worker(second.consumer())):
        for version in range(1, 31):
            await stage.append(*[(stage.renamed(one), version) for one in organisations])
            if version % 10 == 0:
                await stage.cut_lock_sessions()
            await asyncio.sleep(0.03)
        await stage.until_ledger(900)
    await other.close()
    assert len(await stage.ledger()) == 900
    assert in_order(await stage.ledger())


async def test_a_consumer_waits_for_a_stream_that_is_declared_later(stage: Any) -> None:
    reader = stage.worker(stage.consumer())
    reader._publisher.run = lambda stop: stop.wait()
    async with stage.running(reader):
        await asyncio.sleep(0.5)
        await reader.checks()["consumers"]()
        async with stage.running(stage.worker()):
            await stage.append_many(3)
            await stage.until_ledger(3)


async def test_a_consumer_that_may_not_begin_to_read_is_not_ready_until_it_may(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FAILING_SECONDS", 0.3)
    await streams.declare_stream(stage.nats, "members")
    another_kind = {"durable_name": "reader", "ack_policy": "none", "filter_subject": "evt.members.>"}
    await streams.request(
        stage.nats,
        "CONSUMER.CREATE.EVT_MEMBERS.reader.evt.members.>",
        {"stream_name": "EVT_MEMBERS", "config": another_kind | {"name": "reader"}},
    )
    worker = stage.worker(stage.consumer())

    async def is_ready() -> bool:
        try:
            await worker.checks()["consumers"]()
        except ConsumerFailing:
            return False
        return True

    async def is_not_ready() -> bool:
        return not await is_ready()

    async with stage.running(worker):
        await stage.until(is_not_ready)
        await streams.request(stage.nats, "CONSUMER.DELETE.EVT_MEMBERS.reader")
        await stage.until(is_ready)
        await stage.append_many(3)
        await stage.until_ledger(3)


async def test_a_stop_finishes_the_batch_under_way(stage: Any) -> None:
    begun, handle = asyncio.Event(), stage.handle

    async def slowly(session: AsyncSession, received: Any) -> None:
        begun.set()
        await asyncio.sleep(0.7)
        await handle(session, received)

    stage.handle = slowly
    await stage.append_many(50)
    async with stage.running(stage.worker(stage.consumer())) as stop:
        await asyncio.wait_for(begun.wait(), 10)
        stop.set()
    applied = len(await stage.ledger())
    info = await streams.request(stage.nats, "CONSUMER.INFO.EVT_MEMBERS.reader")
    assert applied > 0
    assert info["ack_floor"]["stream_seq"] == applied
    assert await stage.value("select count(*) from inbox") == applied


async def test_the_database_going_away_stops_nothing_for_good(stage: Any) -> None:
    organisations = [new_id() for _ in range(10)]
    async with stage.running(stage.worker(stage.consumer())):
        for version in range(1, 21):
            await stage.append(*[(stage.renamed(one), version) for one in organisations])
            if version == 10:
                await stage.fetch(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
                )
                await stage.database.engine.dispose()
        await stage.until_ledger(200)
    assert in_order(await stage.ledger())


async def test_a_consumer_put_back_to_a_copy_comes_to_the_same_again(stage: Any) -> None:
    """As file copies do it: the tables are as they were, and the broker goes on from what was acknowledged since."""
    kept = ("projection", "ledger", "inbox", "consumer_position", "consumer_generation", "parked")
    organisations = await stage.append_many(50)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(50)
    for table in kept:
        await stage.fetch(f"create table copy_of_{table} as table {table}")
    await stage.append(*[(stage.renamed(one), 2) for one in organisations], (stage.established(), 1))
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(101)
    for table in kept:
        await stage.fetch(f"truncate {table}")
        await stage.fetch(
            f"insert into {table} {'overriding system value ' * (table in ('ledger', 'parked'))}table copy_of_{table}"
        )
    await stage.append(*[(stage.renamed(one), 3) for one in organisations[:10]])
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(111)
    assert in_order(await stage.ledger())
    assert await stage.value("select count(*) from projection") == 51


async def test_a_database_put_back_between_two_batches_gets_again_what_lies_between(stage: Any) -> None:
    """The reader has the next batch at hand, and its connections know nothing of it."""
    kept = ("projection", "ledger", "inbox", "consumer_position")
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append_many(5)
        await stage.until_ledger(5)
        for table in kept:
            await stage.fetch(f"create table copy_of_{table} as table {table}")
        await stage.append_many(5)
        await stage.until_ledger(10)
        async with stage.database.transaction() as session:
            connection = await raw(session)
            for table in kept:
                await connection.execute(f"truncate {table}")
                overriding = "overriding system value" if table == "ledger" else ""
                await connection.execute(f"insert into {table} {overriding} table copy_of_{table}")
        await stage.append_many(5)
        await stage.until_ledger(15)
