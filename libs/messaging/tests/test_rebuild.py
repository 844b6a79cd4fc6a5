"""Rebuilding: the copy equals the live projection, takes its place while the consumer works, and harms nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts import identity, members
from database import Database, new_id, raw
from messaging import Consumer, Publication, append, discard, list_parked, rebuild, rebuilding, streams
from messaging.pulling import Puller
from messaging.rebuilding import HistoryIncomplete
from messaging.shadow import CannotRebuild
from messaging.spaces import WroteToLiveTable

TABLES = ("projection", "ledger")
IGNORING = {"ledger": ("position",)}


@pytest_asyncio.fixture
async def projected(stage: Any) -> AsyncIterator[Any]:
    """A stage whose projection holds 30 organisations of three events each, and whose worker runs."""
    organisations = [new_id() for _ in range(30)]
    for version, make in enumerate((stage.established, stage.renamed, stage.moved), start=1):
        await stage.append(*[(make(one), version) for one in organisations])
    async with stage.running(stage.worker(stage.consumer())):
        await stage.until_ledger(90)
        yield stage


async def test_a_rebuilt_projection_equals_the_live_one(projected: Any) -> None:
    before = await projected.fetch("select * from projection order by 1")
    report = await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)
    assert [(one.table, one.live_rows, one.rebuilt_rows, one.equal) for one in report.tables] == [
        ("projection", 30, 30, True),
        ("ledger", 90, 90, True),
    ]
    assert (report.events, report.switched, report.generation) == (90, True, 2)
    assert await projected.fetch("select * from projection order by 1") == before


async def test_a_stream_that_ends_with_events_of_no_interest_is_caught_up_with(projected: Any) -> None:
    tail = [members.MemberAffiliatedV1(person_id=new_id(), organisation_id=new_id()) for _ in range(5)]
    await projected.append(*[(event, 1) for event in tail])

    async def all_published() -> bool:
        return bool(await projected.count_in_stream() == 95)

    await projected.until(all_published)
    rebuilding = rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)
    report = await asyncio.wait_for(rebuilding, 30)
    assert (report.events, report.switched) == (90, True)


async def test_the_live_consumer_goes_on_before_during_and_after(projected: Any) -> None:
    organisation, version = new_id(), 0
    done = asyncio.Event()

    async def go_on() -> None:
        nonlocal version
        while not done.is_set():
            version += 1
            await projected.append((projected.renamed(organisation, f"v{version}"), version))
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(go_on())
    for generation in (2, 3):
        report = await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)
        assert (report.switched, report.generation) == (True, generation)
    done.set()
    await writing
    await projected.until_ledger(90 + version)
    versions = [number for one, number in await projected.ledger() if one == organisation]
    assert versions == list(range(1, version + 1))
    assert await projected.value("select name from projection where aggregate_id = $1", organisation) == f"v{version}"
    assert await projected.value("select count(*) from parked") == 0


async def test_a_damaged_projection_is_repaired(projected: Any) -> None:
    await projected.fetch("update projection set name = 'damaged'")
    await projected.fetch("delete from ledger where version = 2")
    report = await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)
    assert [one.equal for one in report.tables] == [False, False]
    assert await projected.value("select count(*) from projection where name = 'z'") == 30
    assert await projected.value("select count(*) from ledger") == 90


async def test_one_may_look_without_switching(projected: Any) -> None:
    await projected.fetch("update projection set name = 'damaged'")
    for switch in ("never", "if_equal"):
        report = await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES, switch=switch)
        assert not report.switched
    assert await projected.value("select count(*) from projection where name = 'damaged'") == 30
    assert await projected.value("select generation from consumer_generation") == 1
    assert await projected.value("select to_regnamespace('rebuild') is null")


async def test_indexes_and_constraints_keep_their_names(projected: Any) -> None:
    await projected.fetch("create index ix_projection_name on projection (name) where version > 1")
    await projected.fetch("alter table projection add constraint ck_version check (version > 0)")
    names = (
        "select indexname, indexdef from pg_indexes where tablename = 'projection' and schemaname = 'public'"
        " union all"
        " select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'projection'::regclass"
        " order by 1, 2"
    )
    before = await projected.fetch(names)
    assert (await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)).switched
    assert await projected.fetch(names) == before


async def test_handlers_that_write_elsewhere_are_caught_and_nothing_is_changed(projected: Any) -> None:
    before = await projected.value("select count(*) from ledger")
    with pytest.raises(WroteToLiveTable, match="ledger"):
        await rebuild(projected.database, projected.nats, projected.consumer(), tables=["projection"])
    assert await projected.value("select count(*) from ledger") == before
    assert await projected.value("select to_regnamespace('rebuild') is null")


async def test_what_handlers_append_during_a_rebuild_reaches_nobody(projected: Any) -> None:
    handle = projected.handle

    async def react(session: Any, received: Any) -> None:
        await handle(session, received)
        await append(session, [Publication(projected.established(), 1)])

    projected.handle = react
    before = await projected.value("select count(*) from outbox")
    await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)
    assert await projected.value("select count(*) from outbox") == before


async def test_a_parked_event_is_parked_in_the_new_generation_too(projected: Any) -> None:
    bad = new_id()
    projected.fails = lambda one: ValueError() if one.event.aggregate_id == bad else None
    await projected.append((projected.renamed(bad), 1))

    async def is_parked() -> bool:
        return len(await list_parked(projected.database)) == 1

    await projected.until(is_parked)
    consumer = projected.consumer()
    await rebuild(projected.database, projected.nats, consumer, tables=TABLES)
    [one] = await list_parked(projected.database)
    assert (one.consumer, one.aggregate_id) == ("reader", bad)


async def test_what_an_operator_gave_up_stays_so_and_holds_nobody_up(projected: Any) -> None:
    early, late = new_id(), new_id()
    projected.fails = lambda one: ValueError() if one.event.aggregate_id in (early, late) and one.version == 1 else None
    await projected.append((projected.renamed(early), 1), (projected.renamed(late), 1))

    async def are_parked() -> bool:
        return len(await list_parked(projected.database)) == 2

    await projected.until(are_parked)
    events = {one.aggregate_id: one.event_id for one in await list_parked(projected.database)}
    assert await discard(projected.database, events[early]) == 1
    await projected.append((projected.moved(early), 2))
    await projected.until_ledger(91)

    async def discard_late(_: Any) -> None:
        await discard(projected.database, events[late])

    for _ in range(2):  # the second time from one rebuilt generation to the next
        await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES, settle=discard_late)
        rows = await projected.fetch("select consumer, event_id, state from parked order by event_id")
        assert [tuple(row) for row in rows] == [("reader", one, "discarded") for one in sorted(events.values())]
        assert (early, 2) in await projected.ledger()
    await projected.append((projected.moved(early), 3), (projected.moved(late), 2))
    await projected.until_ledger(93)


async def test_settling_many_events_takes_no_long_transaction(
    projected: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "SETTLE_EVENTS", 20)
    take = Puller.next

    async def take_few(self: Puller, limit: int, *, seconds: float) -> Any:
        return await take(self, min(limit, 20), seconds=seconds)

    monkeypatch.setattr(Puller, "next", take_few)

    async def settle(session: Any) -> None:
        connection = await raw(session)
        settled = await connection.execute("update ledger set type = 'settled' where type <> 'settled'")
        await connection.execute("select pg_sleep($1)", 0.02 * int(settled.split()[-1]))

    impatient = Database(database_url, application_name="rebuild", transaction_timeout_seconds=1)
    report = await rebuild(impatient, projected.nats, projected.consumer(), tables=TABLES, settle=settle)
    await impatient.close()
    assert (report.events, report.switched) == (90, True)
    assert await projected.value("select count(*) from ledger where type = 'settled'") == 90


async def test_hooks_load_a_snapshot_and_settle_before_the_comparison(projected: Any) -> None:
    known = new_id()

    async def load(session: Any) -> None:
        await session.execute(text("insert into projection values (:id, 7, 'snapshot')"), {"id": known})

    async def settle(session: Any) -> None:
        connection = await raw(session)
        assert await connection.fetchval("select count(*) from projection") == 31
        await connection.execute("delete from ledger where version = 1")

    report = await rebuild(
        projected.database, projected.nats, projected.consumer(), tables=TABLES, snapshot=load, settle=settle
    )
    assert [(one.rebuilt_rows, one.equal) for one in report.tables] == [(31, False), (60, False)]
    assert await projected.value("select name from projection where aggregate_id = $1", known) == "snapshot"


async def test_a_stream_without_its_beginning_asks_for_a_snapshot(projected: Any) -> None:
    await streams.request(projected.nats, "STREAM.PURGE.EVT_MEMBERS", {"keep": 10})
    with pytest.raises(HistoryIncomplete):
        await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)


async def test_a_stream_that_nobody_has_declared_yet_counts_as_empty(projected: Any) -> None:
    handlers = {**projected.consumer().handlers, identity.RoleDefinedV1: projected.handle}
    report = await rebuild(projected.database, projected.nats, Consumer("reader", handlers=handlers), tables=TABLES)
    assert (report.events, report.switched, [one.equal for one in report.tables]) == (90, True, [True, True])


async def test_a_table_with_a_foreign_key_is_refused(projected: Any) -> None:
    await projected.fetch("create table child (id uuid references projection)")
    with pytest.raises(CannotRebuild, match="foreign key"):
        await rebuild(projected.database, projected.nats, projected.consumer(), tables=TABLES)


async def test_the_last_hook_works_on_what_comes_into_its_place_and_on_nothing_else(projected: Any) -> None:
    async def take_out(connection: Any) -> None:
        await connection.execute("delete from ledger where version = 1")

    async def fail(connection: Any) -> None:
        await take_out(connection)
        raise ValueError

    first = "select count(*) from ledger where version = 1"
    told = (projected.database, projected.nats, projected.consumer())
    with pytest.raises(ValueError, match=r"^$"):
        await rebuild(*told, tables=TABLES, before_switch=fail)
    assert await projected.value(first) == 30
    report = await rebuild(*told, tables=TABLES, before_switch=take_out)
    assert (report.switched, [one.equal for one in report.tables]) == (True, [True, True])
    assert await projected.value(first) == 0
