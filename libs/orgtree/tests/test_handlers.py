"""Events build the local copy: new, repeated, late, and again from the start beside the live one."""

import random
from collections.abc import Sequence
from uuid import UUID

import pytest

from contracts import Event
from contracts.identity import RoleDefinedV1
from contracts.members import (
    AffiliationWithdrawnV1,
    MemberAffiliatedV1,
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationRenamedV1,
    OrganisationWithdrawnV1,
)
from database import Database, raw
from orgtree import (
    HANDLERS,
    ROOT_ID,
    add_deltas,
    affiliation_of,
    ancestors_of,
    fold_here,
    mend,
    migrations,
    recount,
    totals,
)

from .trees import Arrived, everything, number, state

PEOPLE = [UUID(int=n) for n in range(1, 4)]


def affiliated(person: int, organisation: int, version: int) -> Arrived:
    event = MemberAffiliatedV1(person_id=PEOPLE[person], organisation_id=number(organisation))
    return Arrived(event, version)


HISTORY: Sequence[Arrived] = (
    *(Arrived(*state(n, parent)) for n, parent in ((1, 0), (2, 0), (3, 1), (4, 3), (5, 4))),
    Arrived(*state(3, 2, version=2)),
    Arrived(*state(4, 3, name="renamed", version=3)),
    Arrived(*state(3, 1, version=4)),
    *(affiliated(*facts) for facts in ((0, 4, 1), (1, 5, 1), (0, 5, 2), (2, 3, 1), (0, 3, 3))),
    *(
        Arrived(RoleDefinedV1(role_id=number(50), role="officer", permissions=permissions), version)
        for version, permissions in ((1, ("a.b.read",)), (2, ("a.b.read", "a.b.write")), (3, ("a.b.write",)))
    ),
)


async def receive(database: Database, arrivals: Sequence[Arrived], schema: str | None = None) -> None:
    """Hand each event over in a transaction of its own, as one batch of its type."""
    for each in arrivals:
        async with database.transaction() as session:
            if schema:
                await (await raw(session)).execute(f"set local search_path = {schema}, public")
            await HANDLERS[type(each.event)](session, [each])  # type: ignore[index]


def test_every_event_that_shapes_the_tree_has_a_handler() -> None:
    expected: set[type[Event]] = {
        OrganisationEstablishedV1,
        OrganisationRenamedV1,
        OrganisationMovedV1,
        OrganisationWithdrawnV1,
        MemberAffiliatedV1,
        AffiliationWithdrawnV1,
        RoleDefinedV1,
    }
    assert set(HANDLERS) == expected


def withdrawn(organisation: UUID, version: int) -> Arrived:
    return Arrived(OrganisationWithdrawnV1(organisation_id=organisation), version)


async def test_what_is_withdrawn_stands_nowhere_with_all_below_it_until_it_is_established_again(
    database: Database,
) -> None:
    await receive(database, HISTORY)
    async with database.transaction() as session:
        await add_deltas(session, [(number(each), "members", each) for each in (3, 4, 5)])
        await fold_here(session)
    before = await everything(database)
    late = 2**40
    await receive(database, [withdrawn(number(3), 4), withdrawn(ROOT_ID, late)])
    assert await everything(database) == before
    await receive(database, [withdrawn(number(3), late)])
    async with database.read() as session:
        assert [await ancestors_of(session, number(each)) for each in (3, 4, 5)] == [(), (), ()]
        assert await totals(session, ROOT_ID) == await totals(session, number(1)) == {}
        assert await recount(session) == []
    await receive(database, [Arrived(*state(3, 1, version=late + 1))])
    async with database.read() as session:
        assert await ancestors_of(session, number(5)) == (ROOT_ID, *(number(each) for each in (1, 3, 4, 5)))
        assert await totals(session, ROOT_ID) == {"members": 12}
        assert await recount(session) == []


async def test_who_is_withdrawn_belongs_nowhere_unless_something_newer_is_known(database: Database) -> None:
    await receive(database, [affiliated(0, 1, 3), affiliated(1, 1, 5)])
    await receive(database, [Arrived(AffiliationWithdrawnV1(person_id=person), 4) for person in PEOPLE])
    async with database.read() as session:
        assert [await affiliation_of(session, person) for person in PEOPLE] == [None, number(1), None]


async def test_a_person_belongs_to_the_organisation_of_the_newest_event(database: Database) -> None:
    await receive(database, [affiliated(0, 2, 2), affiliated(0, 1, 1), affiliated(1, 1, 1), affiliated(0, 3, 2)])
    async with database.read() as session:
        assert await affiliation_of(session, PEOPLE[0]) == number(2)
        assert await affiliation_of(session, PEOPLE[2]) is None
        assert await affiliation_of(session, PEOPLE[1]) == number(1)


async def test_a_batch_may_have_several_events_of_one_person(database: Database) -> None:
    batch = [affiliated(0, 1, 1), affiliated(0, 3, 3), affiliated(0, 2, 2)]
    async with database.transaction() as session:
        await HANDLERS[MemberAffiliatedV1](session, batch)
        assert await affiliation_of(session, PEOPLE[0]) == number(3)


@pytest.mark.parametrize("seed", range(8))
async def test_repeated_and_out_of_order_events_end_as_those_in_order(
    database: Database, database_url: str, seed: int
) -> None:
    await receive(database, HISTORY)
    live = await everything(database)
    async with database.transaction() as session:
        connection = await raw(session)
        for table in migrations.PROJECTION_TABLES:
            await connection.execute(f"truncate {table}")
    shuffled = [*HISTORY, *HISTORY[3:9]]
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    await receive(database, shuffled)
    assert await everything(database) == live


async def test_rebuilt_in_a_schema_of_its_own_equals_live_and_leaves_live_alone(database: Database) -> None:
    await receive(database, HISTORY)
    deltas = [(number(5), "members", 20), (number(3), "members", 2)]
    async with database.transaction() as session:
        await add_deltas(session, deltas)
        await fold_here(session)
    live = await everything(database)
    async with database.transaction() as session:
        connection = await raw(session)
        await connection.execute("create schema rebuild")
        for table in migrations.PROJECTION_TABLES:
            await connection.execute(f"create table rebuild.{table} (like public.{table} including all)")
    await receive(database, HISTORY[::-1], schema="rebuild")
    async with database.transaction() as session:
        await (await raw(session)).execute("set local search_path = rebuild, public")
        await add_deltas(session, deltas)
        await fold_here(session)
    assert await everything(database, "rebuild") == live
    assert await everything(database) == live


async def test_a_tree_rebuilt_beside_own_values_that_are_not_is_mended_to_the_same_totals(database: Database) -> None:
    await receive(database, HISTORY)
    async with database.transaction() as session:
        await add_deltas(session, [(number(5), "members", 20)])
        await fold_here(session)
        connection = await raw(session)
        await connection.execute("create schema rebuild")
        for table in migrations.TREE_TABLES:
            await connection.execute(f"create table rebuild.{table} (like public.{table} including all)")
    await receive(database, HISTORY[:5], schema="rebuild")
    async with database.transaction() as session:  # life goes on meanwhile
        await add_deltas(session, [(number(5), "members", 3), (number(4), "members", 1)])
        await fold_here(session)
    await receive(database, HISTORY[5:], schema="rebuild")
    live = await everything(database)
    async with database.transaction() as session:
        await (await raw(session)).execute("set local search_path = rebuild, public")
        assert await mend(session) > 0
        rebuilt = await (await raw(session)).fetch("select * from rebuild.rollup order by 1, 2")
    assert [tuple(row) for row in rebuilt] == live["rollup"]
    assert await everything(database) == live


async def test_what_the_migration_creates_it_can_drop(database: Database) -> None:
    statements: list[str] = []

    class Recorder:
        def execute(self, sqltext: str, /) -> None:
            statements.append(sqltext)

    migrations.drop_v2(Recorder())
    migrations.drop_v1(Recorder())
    async with database.transaction() as session:
        connection = await raw(session)
        for statement in statements:
            await connection.execute(statement)
        left = await connection.fetch("select relname from pg_class where relnamespace = 'public'::regnamespace")
    assert left == []
