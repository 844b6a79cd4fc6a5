"""Whatever comes in whatever order, places, totals and sets of people are what the newest states and deltas give."""

from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.members import OrganisationState
from database import Database
from orgtree import ROOT_ID, Delta, add_deltas, place_organisations, recount
from orgtree.rollups import fold_some

from .trees import (
    clear,
    everything,
    kept_people,
    kept_places,
    kept_totals,
    naive_people,
    naive_places,
    naive_totals,
    number,
    state,
    sums,
)

Step = tuple[str, Any]

organisations = st.integers(1, 6)
parents = st.sampled_from([0, 0, *range(7), 7])  # 7 is never heard of

people = st.none() | st.integers(-6, 6)  # more than are kept of a set
deltas = st.lists(
    st.builds(
        Delta, organisations.map(number), st.sampled_from(["members", "answered"]), st.integers(-5, 9), person=people
    ),
    max_size=12,
)


@st.composite
def events(draw: st.DrawFn) -> list[tuple[OrganisationState, int]]:
    """Several versions of a few organisations, each under any parent: chains, moves, cycles, unknown parents."""
    history = {n: draw(st.lists(parents, min_size=1, max_size=4)) for n in draw(st.sets(organisations, min_size=1))}
    return [
        state(n, parent, name=f"{n} in version {version}", version=version)
        for n, places in history.items()
        for version, parent in enumerate(places, start=1)
    ]


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """The events shuffled, some twice, cut into batches, with deltas and folds in between."""
    made = draw(events())
    shuffled = draw(st.permutations(made + draw(st.lists(st.sampled_from(made), max_size=5))))
    result: list[Step] = []
    while shuffled:
        size = draw(st.integers(1, 6))
        result.append(("place", shuffled[:size]))
        shuffled = shuffled[size:]
        result.append(("add", draw(deltas)))
        if draw(st.booleans()):
            result.append(("fold", draw(st.sampled_from([2, 1000, 1000]))))
    return result


async def run(database: Database, step: Step) -> int:
    kind, what = step
    async with database.transaction() as session:
        if kind == "place":
            await place_organisations(session, what)
        elif kind == "add":
            await add_deltas(session, what)
        else:
            return await fold_some(session, what)
    return 0


ON_ONE_DATABASE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(steps=steps())
@ON_ONE_DATABASE
async def test_after_every_step_places_totals_and_people_are_those_of_the_naive_count(
    database: Database, steps: list[Step]
) -> None:
    await clear(database)
    newest: dict[UUID, tuple[OrganisationState, int]] = {}
    noted: list[Delta] = []
    folded = 0
    for step in steps:
        folded += await run(database, step)
        kind, what = step
        for organisation, version in what if kind == "place" else ():
            if version > newest.get(organisation.organisation_id, (organisation, 0))[1]:
                newest[organisation.organisation_id] = (organisation, version)
        noted += what if kind == "add" else []
        tree: dict[UUID, UUID | None] = {key: each.parent_id for key, (each, _) in newest.items()}
        tree[ROOT_ID] = None
        assert await kept_places(database) == naive_places(tree)
        assert await kept_totals(database) == naive_totals(sums(noted[:folded]), tree)
        assert await kept_people(database) == naive_people(noted[:folded], tree)
        async with database.read() as session:
            assert await recount(session) == []


@given(steps=steps(), order=st.randoms(use_true_random=False))
@ON_ONE_DATABASE
async def test_any_other_order_of_the_same_steps_ends_the_same(
    database: Database, steps: list[Step], order: Any
) -> None:
    await clear(database)
    for step in [*steps, ("fold", 1000)]:
        await run(database, step)
    live = await everything(database)
    await clear(database)
    order.shuffle(steps)
    for step in [*steps, ("fold", 1000)]:
        await run(database, step)
    assert await everything(database) == live
