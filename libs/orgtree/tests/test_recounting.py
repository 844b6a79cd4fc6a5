"""The nightly recount finds what was kept wrongly, tells it, and leaves it as it is."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from database import Database, raw
from orgtree import (
    ROOT_ID,
    Delta,
    NightlyRecount,
    add_deltas,
    fold,
    mend_by_facts,
    people,
    place_organisations,
    recounting,
    totals,
)
from orgtree.recounting import night_after

from .trees import number, state

FACTS = "select organisation_id, measure, person, value from counted_fact"


def drift(part: str) -> float | None:
    return REGISTRY.get_sample_value("orgtree_rollup_drift", {"part": part})


async def count(database: Database, *facts: tuple[int, str, int], person: int | None = None) -> None:
    """Let facts be counted as a service does: the fact and its delta in one transaction."""
    async with database.transaction() as session:
        connection = await raw(session)
        await connection.execute(
            "create table if not exists counted_fact (organisation_id uuid, measure text, value bigint, person bigint)"
        )
        rows = [Delta(number(place), measure, value, person) for place, measure, value in facts]
        await connection.executemany("insert into counted_fact values ($1, $2, $3, $4)", rows)
        await add_deltas(session, rows)


async def spoil(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await (await raw(session)).execute(statement)


@pytest.fixture
async def counted(database: Database) -> Database:
    async with database.transaction() as session:
        await place_organisations(session, [state(1, 0), state(2, 1)])
    await count(database, (2, "members", 22), (1, "answered", 0))
    await fold(database)
    await count(database, (2, "answered", 3))  # noted, not folded yet
    return database


async def test_what_is_kept_rightly_drifts_by_nothing(counted: Database) -> None:
    await NightlyRecount(FACTS).recount(counted)
    assert (drift("totals"), drift("own_values")) == (0, 0)
    assert (REGISTRY.get_sample_value("orgtree_rollup_recounted_timestamp_seconds", {"part": "totals"}) or 0) > 0


async def test_a_wrong_total_is_told_and_not_repaired(counted: Database, caplog: pytest.LogCaptureFixture) -> None:
    await spoil(
        counted, "update rollup set value = 21 where organisation_id <> (select organisation_id from rollup_own)"
    )
    await NightlyRecount(FACTS).recount(counted)
    assert (drift("totals"), drift("own_values")) == (2, 0)
    [told] = [record for record in caplog.records if record.message == "rollup_drift"]
    assert {field: getattr(told, field) for field in ("part", "differing", "organisation_id", "kept", "counted")} == {
        "part": "totals", "differing": 2, "organisation_id": ROOT_ID, "kept": 21, "counted": 22,
    }  # fmt: skip
    async with counted.read() as session:
        assert await totals(session, ROOT_ID) == {"members": 21}


async def test_a_delta_that_was_lost_is_told(counted: Database) -> None:
    await spoil(counted, "delete from rollup_delta")
    await NightlyRecount(FACTS).recount(counted)
    assert (drift("totals"), drift("own_values")) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("update rollup set value = 21 where organisation_id <> (select organisation_id from rollup_own)", (0, 2)),
        ("delete from rollup_delta", (1, 0)),
        ("update rollup_own set value = 7", (1, 3)),
        ("truncate rollup, rollup_own, rollup_delta", (2, 0)),
        ("insert into rollup_own select organisation_id, 'invented', 1 from rollup_own", (1, 3)),
    ],
)
async def test_mending_by_the_facts_sets_own_values_and_totals_right(
    counted: Database, fault: str, wrong: tuple[int, int]
) -> None:
    await spoil(counted, fault)
    async with counted.transaction() as session:
        assert await mend_by_facts(session, FACTS) == wrong
    await fold(counted)
    await NightlyRecount(FACTS).recount(counted)
    assert (drift("totals"), drift("own_values")) == (0, 0)
    async with counted.read() as session:
        assert await totals(session, ROOT_ID) == {"members": 22, "answered": 3}
    async with counted.transaction() as session:
        assert await mend_by_facts(session, FACTS) == (0, 0)


async def test_who_no_longer_leads_forgets_what_it_found_and_who_leads_does_not(
    counted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recounting, "_FORGET_AFTER", timedelta(seconds=0.3))
    await spoil(counted, "delete from rollup_delta")
    job = NightlyRecount(FACTS)
    await job.recount(counted)
    for _ in range(4):
        await job(counted)
        await asyncio.sleep(0.1)
    assert drift("own_values") == 1
    await asyncio.sleep(0.4)
    assert drift("own_values") is None


async def test_it_recounts_once_after_each_night_has_come(counted: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    nights: list[datetime] = []
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)

    async def noted(_: NightlyRecount, __: Database) -> None:
        nights.append(now)

    monkeypatch.setattr(recounting, "utc_now", lambda: now)
    monkeypatch.setattr(NightlyRecount, "recount", noted)
    job = NightlyRecount(FACTS)
    for _ in range(48 * 6):
        await job(counted)
        now += timedelta(minutes=10)
    assert nights == [datetime(2026, 11, day, 18, tzinfo=UTC) for day in (23, 24)]


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2026, 11, 23, 17, 59, tzinfo=UTC), datetime(2026, 11, 23, 18, tzinfo=UTC)),
        (datetime(2026, 11, 23, 18, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC)),
    ],
)
def test_the_night_comes_at_two_oclock_in_china(now: datetime, night: datetime) -> None:
    assert night_after(now) == night


@pytest.mark.parametrize(
    ("harm", "drifts"),
    [
        ("update rollup_people set people = '{6}' where organisation_id = '{one}'", (2, 0)),  # and above
        ("delete from rollup_people where organisation_id = '{root}'", (1, 0)),
        ("insert into rollup_people values ('{two}', 'other', '{5}')", (2, 0)),
        ("update rollup_person set person = 8", (1, 2)),
        ("delete from rollup_person", (1, 1)),
    ],
)
async def test_wrong_people_behind_a_count_are_told_and_mended(
    counted: Database, harm: str, drifts: tuple[int, int]
) -> None:
    await count(counted, (2, "lessons", 4), person=5)
    await fold(counted)
    places = {"{one}": number(1), "{two}": number(2), "{root}": ROOT_ID}
    for name, place in places.items():
        harm = harm.replace(name, str(place))
    await spoil(counted, harm)
    await NightlyRecount(FACTS).recount(counted)
    assert [drift("totals"), drift("own_values")] == list(drifts)
    async with counted.transaction() as session:
        mended = await mend_by_facts(session, FACTS)
        found = [await people(session, place) for place in places.values()]
    assert any(mended)
    assert found == [{"lessons": {5}}] * len(places)
    await NightlyRecount(FACTS).recount(counted)
    assert (drift("totals"), drift("own_values")) == (0, 0)
