"""Organisations find their places whatever the order in which events about them arrive."""

import random

import asyncpg
import pytest
from sqlalchemy import text

from contracts.members import OrganisationState
from database import Database, raw
from orgtree import MAX_DEPTH, ROOT_ID, ancestors_of, lock_tree, place_organisations

from .trees import clear, everything, kept_places, naive_places, number, state


async def place(database: Database, *states: tuple[OrganisationState, int]) -> None:
    async with database.transaction() as session:
        await place_organisations(session, states)


async def column(database: Database, name: str, identity: int) -> object:
    async with database.read() as session:
        return await (await raw(session)).fetchval(
            f"select {name} from organisation where organisation_id = $1",  # noqa: S608
            number(identity),
        )


async def test_the_root_exists_from_the_migration_on(database: Database) -> None:
    assert await kept_places(database) == {ROOT_ID: (ROOT_ID,)}
    assert await column(database, "name", 0) == "中共省委员会"


async def test_an_organisation_stands_below_its_parent(database: Database) -> None:
    await place(database, state(1, 0), state(2, 1))
    assert (await kept_places(database))[number(2)] == (ROOT_ID, number(1), number(2))


async def test_an_organisation_of_an_unknown_kind_and_level_stands_in_the_tree_and_so_does_what_is_below(
    database: Database,
) -> None:
    (new, version) = state(1, 0)
    await place(database, (new.model_copy(update={"kind": "work_station", "level": "ward"}), version), state(2, 1))
    assert (await kept_places(database))[number(2)] == (ROOT_ID, number(1), number(2))
    assert (await column(database, "kind", 1), await column(database, "level", 1)) == ("work_station", "ward")


async def test_the_way_up_of_an_organisation_can_be_asked_for(database: Database) -> None:
    await place(database, state(1, 0), state(2, 1), state(4, 3))
    async with database.read() as session:
        assert await ancestors_of(session, number(2)) == (ROOT_ID, number(1), number(2))
        assert await ancestors_of(session, number(4)) == ()
        assert await ancestors_of(session, number(99)) == ()


async def test_a_child_that_arrives_before_its_parent_waits_for_it(database: Database) -> None:
    await place(database, state(3, 2))
    await place(database, state(2, 1))
    assert set((await kept_places(database)).values()) == {None, (ROOT_ID,)}
    await place(database, state(1, 0))
    assert (await kept_places(database))[number(3)] == (ROOT_ID, number(1), number(2), number(3))


async def test_a_move_takes_the_whole_subtree_along(database: Database) -> None:
    await place(database, state(1, 0), state(2, 0), state(3, 1), state(4, 3))
    await place(database, state(3, 2, version=2))
    assert (await kept_places(database))[number(4)] == (ROOT_ID, number(2), number(3), number(4))


async def test_nested_moves_of_one_batch_all_count(database: Database) -> None:
    await place(database, state(1, 0), state(2, 1), state(3, 2), state(4, 3), state(5, 0))
    await place(database, state(2, 5, version=2), state(4, 1, version=2), state(1, 2, version=2))
    assert (await kept_places(database))[number(4)] == tuple(number(n) for n in (0, 5, 2, 1, 4))


async def test_an_older_state_changes_nothing(database: Database) -> None:
    await place(database, state(1, 0), state(2, 0), state(3, 2, name="new", version=3))
    before = await everything(database)
    await place(database, state(3, 1, name="old", version=2))
    await place(database, state(3, 1, name="other", version=3))
    assert await everything(database) == before


async def test_the_newest_state_of_a_batch_holds_wherever_it_stands_in_it(database: Database) -> None:
    await place(database, state(1, 0), state(2, 1, name="third", version=3), state(2, 0, name="second", version=2))
    assert await column(database, "name", 2) == "third"
    assert (await kept_places(database))[number(2)] == (ROOT_ID, number(1), number(2))


async def test_a_transient_cycle_has_no_place_and_heals(database: Database) -> None:
    await place(database, state(1, 0), state(2, 1), state(3, 2))
    # 2 moved out first and 1 under it then; the second event overtakes the first.
    await place(database, state(1, 2, version=2))
    places = await kept_places(database)
    assert [places[number(n)] for n in (1, 2, 3)] == [None, None, None]
    await place(database, state(2, 0, version=2))
    places = await kept_places(database)
    assert places[number(1)] == (ROOT_ID, number(2), number(1))
    assert places[number(3)] == (ROOT_ID, number(2), number(3))


async def test_an_organisation_that_is_its_own_parent_has_no_place(database: Database) -> None:
    await place(database, state(1, 1))
    assert (await kept_places(database))[number(1)] is None


async def test_what_stands_too_deep_has_no_place_until_it_moves_up(database: Database) -> None:
    await place(database, *(state(n, n - 1) for n in range(1, MAX_DEPTH + 3)))
    places = await kept_places(database)
    assert len(places[number(MAX_DEPTH - 1)] or ()) == MAX_DEPTH
    assert places[number(MAX_DEPTH)] is None
    assert places[number(MAX_DEPTH + 2)] is None
    await place(database, state(10, 0, version=2))
    assert all((await kept_places(database)).values())


async def test_the_root_is_planted_in_tables_that_were_just_made(database: Database) -> None:
    await clear(database)
    await place(database, state(1, 0))
    assert (await kept_places(database))[number(1)] == (ROOT_ID, number(1))


async def test_an_event_about_the_root_keeps_the_tree(database: Database) -> None:
    await place(database, state(1, 0))
    root, _ = state(0, 1, name="中共某省委员会")
    await place(database, (root.model_copy(update={"parent_id": None}), 1))
    assert await column(database, "name", 0) == "中共某省委员会"
    assert (await kept_places(database))[number(1)] == (ROOT_ID, number(1))


async def test_an_empty_batch_is_nothing(database: Database) -> None:
    await place(database)


async def test_a_thousand_organisations_in_any_order_make_the_same_tree(database: Database) -> None:
    order = random.Random(7)  # noqa: S311
    parents = {n: order.randrange(max(0, n - 40), n) for n in range(1, 1001)}
    events = [state(n, parent) for n, parent in parents.items()]
    order.shuffle(events)
    for start in range(0, len(events), 100):
        await place(database, *events[start : start + 100])
    expected = naive_places({ROOT_ID: None} | {number(n): number(parent) for n, parent in parents.items()})
    assert await kept_places(database) == expected


async def test_the_tree_is_not_written_from_an_old_snapshot(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("set transaction isolation level repeatable read"))
        with pytest.raises(RuntimeError, match="read committed"):
            await lock_tree(session)


async def test_a_rebuilt_tree_cannot_take_the_place_of_one_that_is_locked(database: Database) -> None:
    async with database.transaction() as session:
        await lock_tree(session)
        other = await database.connect(lock_timeout="100ms")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("alter table organisation rename to retired")
        await other.close()
