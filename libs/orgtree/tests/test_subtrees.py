"""What lies within a remit: the same for a list and for a single object, and equal to walking up the tree."""

import random
from collections.abc import Collection
from uuid import UUID

import pytest
from sqlalchemy import select

from contracts.members import MemberAffiliatedV1
from database import Database
from orgtree import (
    HANDLERS,
    ROOT_ID,
    OutsideRemit,
    affiliation,
    organisation,
    place_organisations,
    require_within,
    within,
)

from .trees import Arrived, naive_places, number, state


async def listed(database: Database, remit: Collection[UUID]) -> set[UUID]:
    query = select(organisation.c.organisation_id).where(within(organisation.c.organisation_id, remit))
    async with database.read() as session:
        return set(await session.scalars(query))


async def is_within(database: Database, identity: UUID, remit: Collection[UUID]) -> bool:
    async with database.read() as session:
        try:
            await require_within(session, identity, remit)
        except OutsideRemit:
            return False
    return True


async def grow(database: Database, size: int, seed: int) -> dict[UUID, UUID | None]:
    chance = random.Random(seed)  # noqa: S311
    parents = {n: chance.randrange(n) if chance.random() < 0.95 else size + 1 for n in range(1, size)}
    async with database.transaction() as session:
        await place_organisations(session, [state(n, parent) for n, parent in parents.items()])
    return {ROOT_ID: None} | {number(n): number(parent) for n, parent in parents.items()}


@pytest.mark.parametrize("seed", range(3))
async def test_lists_and_single_objects_equal_walking_up_the_tree(database: Database, seed: int) -> None:
    places = naive_places(await grow(database, 80, seed))
    chance = random.Random(seed)  # noqa: S311
    for count in (1, 1, 1, 2, 3):
        remit = frozenset(chance.sample(list(places), count))
        expected = {each for each, way in places.items() if way and remit & set(way)}
        assert await listed(database, remit) == expected
        for each in chance.sample(list(places), 15):
            assert await is_within(database, each, remit) == (each in expected)


async def test_nothing_lies_within_a_remit_that_is_empty_unknown_or_without_a_place(database: Database) -> None:
    async with database.transaction() as session:
        await place_organisations(session, [state(1, 0), state(3, 2), state(4, 3)])
    for remit in ((), (number(99),), (number(3),), (number(2),)):
        assert await listed(database, remit) == set()
        assert not await is_within(database, number(4), remit)


async def test_an_unknown_organisation_lies_in_no_remit(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(OutsideRemit) as refused:
            await require_within(session, number(99), [ROOT_ID])
    assert refused.value.args == (number(99),)


async def test_a_parent_and_a_sibling_lie_outside(database: Database) -> None:
    """Check 2: in lists and for one object."""
    async with database.transaction() as session:
        await place_organisations(session, [state(1, 0), state(2, 1), state(3, 1), state(4, 2)])
    assert await listed(database, [number(2)]) == {number(2), number(4)}
    assert not await is_within(database, number(1), [number(2)])
    assert not await is_within(database, number(3), [number(2)])


async def test_a_move_changes_who_may_see_with_its_commit(database: Database) -> None:
    async with database.transaction() as session:
        await place_organisations(session, [state(1, 0), state(2, 0), state(3, 1)])
    async with database.transaction() as session:
        await place_organisations(session, [state(3, 2, version=2)])
        assert await is_within(database, number(3), [number(1)])
    assert not await is_within(database, number(3), [number(1)])
    assert await is_within(database, number(3), [number(2)])


async def test_another_table_is_listed_by_the_organisation_in_its_column(database: Database) -> None:
    people = [UUID(int=1), UUID(int=2)]
    async with database.transaction() as session:
        await place_organisations(session, [state(1, 0), state(2, 0)])
        events = [MemberAffiliatedV1(person_id=person, organisation_id=number(n)) for n, person in enumerate(people, 1)]
        await HANDLERS[MemberAffiliatedV1](session, [Arrived(event, 1) for event in events])
        query = select(affiliation.c.person_id).where(within(affiliation.c.organisation_id, [number(2)]))
        assert list(await session.scalars(query)) == people[1:]


async def test_the_column_of_a_table_that_the_query_does_not_read_is_not_quietly_true() -> None:
    query = select(organisation.c.name).where(within(affiliation.c.organisation_id, [ROOT_ID]))
    assert {table.name for table in query.get_final_froms()} == {"organisation", "affiliation"}  # type: ignore[attr-defined]
