"""Partitions: made ahead, filled from the default one, dropped when old and published."""

from datetime import date, timedelta
from typing import Any

import pytest_asyncio

from database import new_id, utc_now
from messaging import partitions
from messaging.jobs import keep_partitions


@pytest_asyncio.fixture
async def connection(stage: Any) -> Any:
    opened = await stage.database.connect()
    yield opened
    await opened.close()


async def names(stage: Any, table: str) -> set[str]:
    rows = await stage.fetch(
        "select child.relname from pg_inherits join pg_class child on child.oid = inhrelid"
        " join pg_class parent on parent.oid = inhparent where parent.relname = $1",
        table,
    )
    return {row[0] for row in rows}


async def test_the_coming_days_have_their_partitions_and_a_second_run_changes_nothing(
    stage: Any, connection: Any
) -> None:
    day = utc_now().date() + timedelta(days=3)
    for _ in range(2):
        await partitions.maintain(connection, day)
        for table in ("outbox", "inbox"):
            expected = {partitions.partition_name(table, day + timedelta(days=ahead)) for ahead in range(-1, 8)}
            assert expected <= await names(stage, table)


async def test_rows_that_had_to_go_to_the_default_partition_move_to_their_own(stage: Any, connection: Any) -> None:
    today = utc_now().date()
    await stage.fetch(f"drop table {partitions.partition_name('outbox', today)}")
    await stage.fetch(f"drop table {partitions.partition_name('inbox', today)}")
    await stage.append_many(3)
    await stage.fetch("insert into inbox values ($1, 'reader', $2)", today, new_id())
    await keep_partitions(stage.database)
    assert await stage.value("select count(*) from outbox_default") == 0
    for table, count in (("outbox", 3), ("inbox", 1)):
        name = partitions.partition_name(table, today)
        assert await stage.value(f"select count(*) from {name}") == count  # noqa: S608 - our own name
    more = await stage.append_many(2)
    assert await stage.value("select count(distinct id) from outbox") == 5
    assert await stage.value("select count(*) from outbox where aggregate_id = any($1)", more) == 2


async def test_a_restored_dump_is_noticed_before_rows_written_since_move(stage: Any) -> None:
    dumped = await stage.append_many(3)
    await stage.fetch("update outbox set created_at = created_at - interval '1 day'")
    await stage.fetch("update outbox_state set cluster = cluster + 1")
    await stage.fetch(f"drop table {partitions.partition_name('outbox', utc_now().date())}")
    written_since = await stage.append_many(3)
    await keep_partitions(stage.database)
    rows = await stage.fetch("select aggregate_id, epoch from outbox order by id")
    assert [tuple(row) for row in rows] == [(one, 1) for one in dumped] + [(one, 2) for one in written_since]


async def test_an_old_partition_goes_only_when_every_row_is_published(stage: Any, connection: Any) -> None:
    today = utc_now().date()
    await stage.append_many(3)
    name = partitions.partition_name("outbox", today)
    later = today + timedelta(days=partitions.OUTBOX_DAYS + 1)
    await partitions.maintain(connection, later)
    assert name in await names(stage, "outbox")
    async with stage.running(stage.worker()):

        async def published() -> bool:
            return bool(await stage.value("select coalesce(max(id), 0) from outbox_cursor") >= 3)

        await stage.until(published)
    await partitions.maintain(connection, later)
    assert name not in await names(stage, "outbox")
    assert "outbox_default" in await names(stage, "outbox")


async def test_outdated_rows_of_the_default_partition_go_once_published(stage: Any, connection: Any) -> None:
    today = utc_now().date()
    await stage.fetch(f"drop table {partitions.partition_name('outbox', today)}")
    await stage.append_many(2)
    later = today + timedelta(days=partitions.OUTBOX_DAYS + 3)
    await partitions.maintain(connection, later)
    assert await stage.value("select count(*) from outbox_default") == 2
    await stage.fetch("insert into outbox_cursor (shard, epoch, txid, id) values (0, 1, pg_current_xact_id(), 1000)")
    await partitions.maintain(connection, later)
    assert await stage.value("select count(*) from outbox_default") == 0


async def test_an_inbox_day_is_kept_for_as_long_as_its_events_can_come_again(stage: Any, connection: Any) -> None:
    today: date = utc_now().date()
    name = partitions.partition_name("inbox", today)
    await partitions.maintain(connection, today + timedelta(days=partitions.INBOX_DAYS))
    assert name in await names(stage, "inbox")
    await partitions.maintain(connection, today + timedelta(days=partitions.INBOX_DAYS + 1))
    assert name not in await names(stage, "inbox")
