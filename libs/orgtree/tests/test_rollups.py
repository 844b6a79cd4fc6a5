"""Deltas become totals of every ancestor, follow each move, and are never counted twice or lost."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest

from database import Database, raw
from orgtree import (
    ROOT_ID,
    Difference,
    add_deltas,
    fold,
    mend,
    place_organisations,
    recount,
    rollups,
    totals,
    totals_of_children,
)

from .trees import kept_totals, naive_totals, number, state, sums


async def place(database: Database, *moves: tuple[int, int, int]) -> None:
    """Place (organisation, parent, version)."""
    async with database.transaction() as session:
        await place_organisations(session, [state(n, parent, version=version) for n, parent, version in moves])


async def add(database: Database, *deltas: tuple[int, str, int]) -> None:
    async with database.transaction() as session:
        await add_deltas(session, [(number(n), measure, delta) for n, measure, delta in deltas])


async def total(database: Database, identity: int, measure: str = "members") -> int:
    async with database.read() as session:
        return (await totals(session, number(identity))).get(measure, 0)


async def differences(database: Database) -> list[Difference]:
    async with database.read() as session:
        return await recount(session)


async def rows_of(database: Database, table: str) -> object:
    async with database.read() as session:
        return await (await raw(session)).fetchval(f"select count(*) from {table}")  # noqa: S608


async def test_a_delta_counts_for_the_organisation_and_all_above_it(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 1, 1), (3, 0, 1))
    await add(database, (2, "members", 20), (2, "members", 2), (3, "members", 5), (2, "answered", 1))
    assert await total(database, 0) == 0
    await fold(database)
    async with database.read() as session:
        assert await totals(session, ROOT_ID) == {"members": 27, "answered": 1}
        assert await totals(session, number(1)) == {"members": 22, "answered": 1}
        assert await totals(session, number(99)) == {}


async def test_folding_again_adds_nothing(database: Database) -> None:
    await add(database, (0, "members", 3))
    await fold(database)
    await fold(database)
    assert await total(database, 0) == 3


async def test_a_delta_taken_back_with_its_transaction_never_counts(database: Database) -> None:
    async with database.transaction() as session:
        await add_deltas(session, [(ROOT_ID, "members", 3)])
        await session.rollback()
    await fold(database)
    assert await total(database, 0) == 0


async def test_what_counts_to_nothing_has_no_row(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 0, 1), (3, 1, 1))
    await add(database, (3, "members", 3), (3, "answered", 1))
    await fold(database)
    await add(database, (3, "answered", -1))
    await fold(database)
    await place(database, (3, 2, 2))
    assert await kept_totals(database) == {(number(n), "members"): 3 for n in (0, 2, 3)}
    assert await rows_of(database, "rollup_own") == 1


async def test_more_deltas_than_one_transaction_takes_are_all_folded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "FOLD_LIMIT", 10)
    await add(database, *[(0, "members", 1)] * 35)
    await fold(database)
    assert await total(database, 0) == 35


async def test_a_burst_is_folded_in_one_walk_though_the_table_was_empty_when_it_was_last_measured(
    database: Database,
) -> None:
    """Where the planner expects a row or none, what is looked up for each row costs the square of a burst."""
    await place(database, (1, 0, 1))
    await add(database, *[(1, "members", 1)] * 300)
    await fold(database)
    async with database.transaction() as session:
        connection = await raw(session)
        await connection.execute("analyze rollup_delta")
        plan = await connection.fetch("explain " + rollups._FOLD.replace("$1", "20000"))
    assert [line for (line,) in plan if "Join" in line and "rollup_delta" in line] == []
    await add(database, *[(1, "members", 1)] * 6000)
    await fold(database)
    assert await total(database, 1) == 6300


async def test_each_child_has_its_totals_and_one_without_counts_is_there_too(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 1, 1))
    await add(database, (4, "members", 4), (2, "members", 2), (2, "answered", 1))
    await fold(database)
    async with database.read() as session:
        assert await totals_of_children(session, ROOT_ID) == {
            number(1): {"members": 4},
            number(2): {"members": 2, "answered": 1},
            number(3): {},
        }


async def test_a_delta_of_an_unknown_organisation_counts_once_its_place_is_known(database: Database) -> None:
    await add(database, (2, "members", 7))
    await fold(database)
    assert await kept_totals(database) == {}
    await place(database, (2, 1, 1))
    assert await kept_totals(database) == {}
    await add(database, (2, "members", 1))
    await fold(database)
    await place(database, (1, 0, 1))
    assert await total(database, 0) == 8
    await fold(database)
    assert await total(database, 0) == 8


async def test_a_move_takes_the_totals_along(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 0, 1), (3, 1, 1), (4, 3, 1))
    await add(database, (4, "members", 9), (1, "members", 1))
    await fold(database)
    await add(database, (4, "members", 1))  # noted under the old parent, folded under the new one
    await place(database, (3, 2, 2))
    assert [await total(database, n) for n in (0, 1, 2, 3, 4)] == [10, 1, 9, 9, 9]
    await fold(database)
    assert [await total(database, n) for n in (0, 1, 2, 3, 4)] == [11, 1, 10, 10, 10]


async def test_nested_moves_of_one_batch_take_each_part_of_the_totals_its_own_way(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 1, 1), (3, 2, 1), (4, 3, 1), (5, 0, 1), (6, 1, 1))
    await add(database, *((n, "members", 10**n) for n in (1, 2, 3, 4, 6)))
    await fold(database)
    await place(database, (2, 5, 2), (4, 1, 2), (6, 3, 2))  # 3 goes with 2, 4 leaves 3 for 1, 6 leaves 1 for 3
    kept = [await total(database, n) for n in (0, 1, 2, 3, 4, 5, 6)]
    assert kept == [1011110, 10010, 1001100, 1001000, 10000, 1001100, 1000000]
    assert await differences(database) == []


async def test_totals_leave_with_a_lost_place_and_come_back_with_it(database: Database) -> None:
    await place(database, (1, 0, 1), (2, 1, 1))
    await add(database, (2, "members", 6))
    await fold(database)
    await place(database, (1, 2, 2))  # a cycle, until the event of 2 arrives
    assert await kept_totals(database) == {}
    await place(database, (2, 0, 2))
    assert [await total(database, n) for n in (0, 1, 2)] == [6, 0, 6]


async def test_a_recount_names_each_total_that_was_kept_wrongly_and_mending_sets_it_right(database: Database) -> None:
    await add(database, (0, "members", 3))
    await fold(database)
    assert await differences(database) == []
    async with database.transaction() as session:
        await (await raw(session)).execute("update rollup set value = 4")
        await (await raw(session)).execute("insert into rollup values ($1, 'answered', 1)", number(7))
    wrong = [
        Difference(ROOT_ID, "members", kept=4, counted=3),
        Difference(number(7), "answered", kept=1, counted=0),
    ]
    assert await differences(database) == wrong
    async with database.transaction() as session:
        assert await recount(session, limit=1) == wrong[:1]
        assert await mend(session) == 2
    assert await kept_totals(database) == {(ROOT_ID, "members"): 3}
    async with database.transaction() as session:
        assert await mend(session) == 0


async def fold_during_a_move(database: Database) -> None:
    """Fold a delta of 3 while a transaction that moves it from 1 to 2 has not committed."""
    await place(database, (1, 0, 1), (2, 0, 1), (3, 1, 1))
    await add(database, (3, "members", 5))
    await fold(database)
    await add(database, (3, "members", 2))
    async with database.transaction() as session:
        await place_organisations(session, [state(3, 2, version=2)])
        folding = asyncio.create_task(fold(database))
        await asyncio.wait([folding], timeout=0.3)
        assert not folding.done(), "it waits: for the lock, or without that for a row of the totals"
    await folding


async def test_a_fold_during_a_move_counts_for_the_new_ancestors(database: Database) -> None:
    await fold_during_a_move(database)
    assert [await total(database, n) for n in (0, 1, 2)] == [7, 0, 7]
    assert await differences(database) == []


async def test_without_the_lock_a_fold_during_a_move_goes_wrong_and_the_recount_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_lock(session: object) -> None:
        """Break the mechanism."""

    monkeypatch.setattr(rollups, "lock_tree", no_lock)
    await fold_during_a_move(database)
    assert await differences(database) != []


async def test_adding_folding_and_moving_at_once_loses_nothing(database: Database) -> None:
    size, chance = 60, random.Random(11)  # noqa: S311
    await place(database, *((n, chance.randrange(n), 1) for n in range(1, size)))
    noted: list[tuple[UUID, str, int]] = []
    done: Counter[int] = Counter()

    async def repeat(task: int, act: Callable[[], object]) -> None:
        while len(done) < len(acts) or min(done.values()) < 6:  # until each has met all the others
            await act()  # type: ignore[misc]
            done[task] += 1

    async def note() -> None:
        places = [number(chance.randrange(size + 5)) for _ in range(20)]
        deltas = [(place, chance.choice(["members", "answered"]), chance.randrange(-3, 9)) for place in places]
        async with database.transaction() as session:
            await add_deltas(session, deltas)
        noted.extend(deltas)

    versions = dict.fromkeys(range(1, size + 5), 1)
    parents: dict[UUID, UUID | None] = {}

    async def move() -> None:
        moved = chance.sample(range(1, size + 5), 5)
        versions.update({n: versions[n] + 1 for n in moved})
        # Under anything, so that cycles come and go; the last 5 appear here for the first time.
        await place(database, *((n, chance.randrange(size + 5), versions[n]) for n in moved))

    acts = (note, note, move, move, lambda: fold(database), lambda: fold(database))
    async with asyncio.TaskGroup() as tasks:  # when one fails, none goes on in the next test's database
        for task, act in enumerate(acts):
            tasks.create_task(repeat(task, act))
    await fold(database)
    async with database.read() as session:
        rows = await (await raw(session)).fetch("select organisation_id, parent_id from organisation")
    parents = {row["organisation_id"]: row["parent_id"] for row in rows}
    assert await kept_totals(database) == naive_totals(sums(noted), parents)
    assert await differences(database) == []
