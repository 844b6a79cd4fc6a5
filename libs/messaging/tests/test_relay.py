"""The relay: commit order, nothing lost, nothing twice, whatever breaks on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from nats.js.manager import JetStreamManager

from database import Database, closing, new_id
from messaging import Publication, append, connect, publishing, relay, republish, streams
from messaging.metrics import OUTBOX_DEPTH
from messaging.outbox import notice_restore
from messaging.relay import Relay, RelayStuck
from testkit.proxy import TcpProxy


@pytest.fixture
async def published(stage: Any) -> Any:
    """Wait until so many messages are in the stream."""

    async def wait(count: int) -> None:
        async def there() -> bool:
            return bool(await stage.count_in_stream() >= count)

        await stage.until(there)

    return wait


async def test_a_row_that_commits_late_is_neither_lost_nor_overtaken(stage: Any, published: Any) -> None:
    slow, quick = new_id(), new_id()
    late = await stage.database.connect()
    transaction = late.transaction()
    await transaction.start()
    await late.execute("create temporary table holds_a_transaction_id (n int) on commit drop")
    async with stage.running(stage.worker()):
        await stage.append((stage.established(quick), 1))
        await asyncio.sleep(0.5)
        assert await stage.count_in_stream() == 0
        await _append_through(late, stage.established(slow))
        await transaction.commit()
        await published(2)
    await late.close()
    assert [str(slow), str(quick)] == [envelope.subject.rpartition("/")[2] for envelope in await stage.stream()]


async def test_a_relay_that_waits_in_the_database_misses_nothing_and_stops_at_once(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "WAIT_SECONDS", 14.0)  # longer than this test has patience for

    async def published(count: int) -> None:
        async def there() -> bool:
            return bool(await stage.count_in_stream() >= count)

        await stage.until(there, seconds=7)

    late = await stage.database.connect()
    async with stage.running(stage.worker()):
        await stage.append((stage.established(), 1))
        await published(1)
        await asyncio.sleep(relay.CALM_AFTER_SECONDS + 0.5)
        await stage.append((stage.established(), 1))
        await published(2)
        transaction = late.transaction()
        await transaction.start()
        await _append_through(late, stage.established())
        await stage.append((stage.established(), 1))  # held back by the one before it
        await asyncio.sleep(relay.CALM_AFTER_SECONDS + 0.5)
        assert await stage.count_in_stream() == 2
        await transaction.commit()
        await published(4)
        stopped_at = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopped_at < 7
    await late.close()


async def _append_through(connection: Any, event: Any) -> None:
    await append(connection, [Publication(event, 1)])


async def test_without_the_snapshot_bound_a_late_row_would_be_lost(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "ROWS_OF_PRESENT_EPOCH", relay.ROWS_OF_PAST_EPOCH)
    late = await stage.database.connect()
    transaction = late.transaction()
    await transaction.start()
    await _append_through(late, stage.established())
    async with stage.running(stage.worker()):
        await stage.append((stage.established(), 1))
        await asyncio.sleep(0.7)
        await transaction.commit()
        await asyncio.sleep(0.7)
        assert await stage.count_in_stream() == 1
    await late.close()


async def test_publishing_again_inside_the_window_leaves_one_of_each(stage: Any, published: Any) -> None:
    await stage.append_many(1500)
    async with stage.running(stage.worker()):
        await published(1500)
        first = await stage.value("select min(created_at) from outbox")
        assert await republish(stage.database, since=first) == 1
        await stage.append_many(20)
        await published(1520)
        await asyncio.sleep(0.3)
        assert await stage.count_in_stream() == 1520


async def test_publishing_again_after_the_window_reaches_no_handler_twice(
    stage: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "DUPLICATE_WINDOW", timedelta(seconds=1))
    await stage.append_many(30)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(30)
        await asyncio.sleep(1.5)
        await republish(stage.database, since=await stage.value("select min(created_at) from outbox"))
        await published(60)
        await stage.append_many(1)
        await stage.until_ledger(31)
        assert await stage.value("select count(*) from ledger") == 31


async def test_a_batch_whose_acknowledgement_is_lost_is_stored_once(stage: Any, nats_url: str) -> None:
    await stage.append_many(700)
    async with TcpProxy(int(nats_url.rpartition(":")[2])) as proxy:
        nats = await connect(proxy.through(nats_url), name="relay")
        stage.nats, direct = nats, stage.nats
        proxy.cut_before("to_client", lambda piece: b'"count":700' in piece)
        async with stage.running(stage.worker()):

            async def caught_up() -> bool:
                return bool(await stage.value("select coalesce(max(id), 0) from outbox_cursor") >= 700)

            await stage.until(caught_up)
        stage.nats = direct
        await nats.close()
    versions = [envelope.id for envelope in await stage.stream()]
    assert len(versions) == len(set(versions)) == 700


async def test_a_relay_that_dies_before_it_saves_its_cursor_leaves_one_of_each(
    stage: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.append_many(300)
    save, deaths = Relay._save, 0

    async def die_at_first(self: Relay, *arguments: Any) -> Any:
        nonlocal deaths
        deaths += 1
        if deaths <= 2:
            raise RuntimeError("killed between publish and cursor")
        return await save(self, *arguments)

    monkeypatch.setattr(Relay, "_save", die_at_first)
    async with stage.running(stage.worker()):
        await published(300)

        async def saved() -> bool:
            return deaths > 2

        await stage.until(saved)
    ids = [envelope.id for envelope in await stage.stream()]
    assert len(ids) == len(set(ids)) == 300


async def test_two_relays_and_a_cut_lock_session_keep_every_event_and_each_aggregates_order(
    stage: Any, published: Any, database_url: str
) -> None:
    other = Database(database_url, application_name="other")
    organisations = [new_id() for _ in range(20)]
    first, second = stage.worker(), stage.__class__(other, stage.nats).worker()
    async with stage.running(first), stage.running(second):
        for version in range(1, 31):
            await stage.append(*[(stage.renamed(one), version) for one in organisations])
            if version % 10 == 0:
                await stage.cut_lock_sessions()
            await asyncio.sleep(0.02)
        await published(600)
    await other.close()
    seen: dict[str, list[int]] = {}
    for envelope in await stage.stream():
        seen.setdefault(envelope.subject, []).append(envelope.aggregateversion)
    assert all(versions == list(range(1, 31)) for versions in seen.values())
    assert len(seen) == 20


async def test_a_wiped_broker_gets_everything_again(stage: Any, published: Any) -> None:
    await stage.append_many(120)
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(120)
        await JetStreamManager(stage.nats.client).delete_stream("EVT_MEMBERS")
        await stage.append_many(5)
        await published(125)
        await stage.until_ledger(125)
        await asyncio.sleep(0.5)
        assert await stage.value("select count(*) from ledger") == 125


BURN = "do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$"


@pytest.mark.parametrize("ahead", [5_000_000, 2_000])
async def test_after_a_restored_dump_the_old_rows_go_first_and_new_ones_follow(
    stage: Any, published: Any, ahead: int
) -> None:
    """The dump is `ahead` of this cluster's transactions, which pass it before a relay looks if it is not far."""
    old = await stage.append_many(50)
    async with stage.running(stage.worker()):
        await published(50)
    waiting = await stage.append_many(10)
    await stage.fetch("update outbox set txid = (txid::text::bigint + $1)::text::xid8", ahead)
    await stage.fetch("update outbox_cursor set txid = (txid::text::bigint + $1)::text::xid8", ahead)
    await stage.fetch("update outbox_state set cluster = cluster + 1")
    new = await stage.append_many(10)
    burning = await stage.database.connect()
    await burning.execute(BURN)
    await burning.close()
    new += await stage.append_many(10)
    async with stage.running(stage.worker()):
        await published(80)
        more = await stage.append_many(1)
        await published(81)
    order = [envelope.subject.rpartition("/")[2] for envelope in await stage.stream()]
    assert order == [str(one) for one in old + waiting + new + more]
    assert await stage.value("select epoch from outbox_state") == 2


async def test_transaction_ids_that_went_back_begin_a_new_epoch_in_the_same_cluster(stage: Any, published: Any) -> None:
    async with stage.running(stage.worker()):
        await stage.append_many(5)
        await published(5)
    await stage.fetch("update outbox_cursor set txid = (txid::text::bigint + 5000000)::text::xid8")
    await stage.append_many(5)
    async with stage.running(stage.worker()):
        await published(10)
    assert await stage.value("select epoch from outbox_state") == 2


async def test_several_relays_that_notice_a_restored_dump_begin_one_epoch_and_lose_nothing_unseen(
    stage: Any, published: Any
) -> None:
    await stage.fetch("update outbox_state set shards = 3")
    await stage.append_many(30)
    await stage.fetch("update outbox_state set cluster = cluster + 1")
    async with stage.running(stage.worker()):
        await published(30)
    assert await stage.value("select epoch from outbox_state") == 2


async def test_an_epoch_begun_beside_a_relay_loses_nothing(stage: Any, published: Any) -> None:
    async with stage.running(stage.worker()):
        await stage.append_many(5)
        await stage.fetch("update outbox_state set cluster = cluster + 1")
        async with closing(stage.database.connect()) as connection:
            await notice_restore(connection)
        assert await stage.value("select epoch from outbox_state") == 2
        await stage.append_many(5)
        await published(10)
        await asyncio.sleep(0.3)
        assert await stage.count_in_stream() == 10


async def test_several_shards_publish_everything_and_keep_each_aggregates_order(stage: Any, published: Any) -> None:
    await stage.fetch("update outbox_state set shards = 3")
    organisations = [new_id() for _ in range(30)]
    async with stage.running(stage.worker()):
        for version in range(1, 11):
            await stage.append(*[(stage.renamed(one), version) for one in organisations])
        await published(300)
    assert await stage.value("select count(distinct shard) from outbox") == 3
    seen: dict[str, list[int]] = {}
    for envelope in await stage.stream():
        seen.setdefault(envelope.subject, []).append(envelope.aggregateversion)
    assert all(versions == list(range(1, 11)) for versions in seen.values())


async def test_a_backlog_is_measured_while_it_is_being_shipped(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.1)
    monkeypatch.setattr(publishing, "MAX_BATCH", 10)
    publish_batch = publishing.publish_batch

    async def publish_slowly(*arguments: Any) -> Any:
        await asyncio.sleep(0.05)
        return await publish_batch(*arguments)

    monkeypatch.setattr(publishing, "publish_batch", publish_slowly)
    depth = OUTBOX_DEPTH.labels("members", "0")
    worker, depths, complained = stage.worker(), set(), False
    await stage.append_many(300)
    async with stage.running(worker):

        async def shipped() -> bool:
            nonlocal complained
            depths.add(depth._value.get())
            try:
                await worker.checks()["relay"]()
            except RelayStuck:
                complained = True
            return bool(await stage.count_in_stream() >= 300)

        await stage.until(shipped)
    assert len([one for one in depths if 0 < one < 300]) >= 3
    assert complained


async def test_a_held_transaction_stalls_the_relay_and_it_says_so(
    stage: Any, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(relay, "MEASURE_SECONDS", 0.1)
    holder = await stage.database.connect()
    transaction = holder.transaction()
    await transaction.start()
    await holder.fetch("select pg_current_xact_id()")
    worker = stage.worker()
    async with stage.running(worker):
        await stage.append_many(3)

        async def complains() -> bool:
            try:
                await worker.checks()["relay"]()
            except RelayStuck:
                return True
            return False

        await stage.until(complains)
        assert await stage.count_in_stream() == 0
        await transaction.commit()
        await published(3)

        async def is_calm() -> bool:
            return not await complains()

        await stage.until(is_calm)
    await holder.close()
