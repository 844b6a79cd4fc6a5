"""[rollup] Totals of a province's children from kept rollups, beside the recursive query over the same tree."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import orgtree
from database import Database, new_id, raw
from tests.bench.results import Result
from tests.bench.stage import Stage

FANS = (9, 10, 17, 14, 14)
"""Cities, counties each, townships each, villages each, branches each: about 322,000 organisations."""
MEASURE = "members.all"
DELTAS = 50_000
PEOPLE = 10_000
_SPREAD = 0x9E3779B97F4A7C15 >> 20
"""Spreads the marks of people over their whole range, as the hashes that they are."""

_LEVEL = """
insert into organisation (organisation_id, parent_id, kind, level, name, path, ancestors, version)
select id, new.parent_id, 'committee', $1, 'x', parent.path || id || '/', parent.ancestors || id, 1
from unnest($2::uuid[], $3::uuid[]) as new(id, parent_id)
join organisation parent on parent.organisation_id = new.parent_id
"""
_RECURSIVE = """
with recursive below as (
    select organisation_id as child, organisation_id from organisation where parent_id = $1
    union all
    select below.child, organisation.organisation_id
    from below join organisation on organisation.parent_id = below.organisation_id
)
select below.child, sum(own.value)
from below join rollup_own own on own.organisation_id = below.organisation_id and own.measure = $2
group by below.child
"""


async def measure(stage: Stage) -> list[Result]:
    """Plant the tree, note members everywhere, fold, and ask both ways."""
    url = await stage.migrated("gateway")
    async with stage.database(url) as database:
        branches = await _plant(database, [stage.of(fan, least=2) for fan in FANS])
        await _note(database, [(branch, MEASURE, 22) for branch in branches])
        await orgtree.fold(database)
        return [
            await _totals(database, len(branches)),
            await _folding(database, branches, stage.of(DELTAS)),
            await _folding(database, branches, stage.of(DELTAS), people=stage.of(PEOPLE)),
        ]


async def _totals(database: Database, branches: int) -> Result:
    connection = await database.connect()
    await connection.execute("vacuum analyze")

    async def recursive() -> dict[UUID, int]:
        return {row[0]: row[1] for row in await connection.fetch(_RECURSIVE, orgtree.ROOT_ID, MEASURE)}

    async def kept() -> dict[UUID, int]:
        async with database.read() as session:
            totals = await orgtree.totals_of_children(session, orgtree.ROOT_ID)
        return {child: found[MEASURE] for child, found in totals.items()}

    if await recursive() != await kept():
        raise AssertionError("the two ways give different totals")
    slow, fast = await _milliseconds(5, recursive), await _milliseconds(50, kept)
    await connection.close()
    note = f"time for the children of the root, {branches:,} branches"
    return Result("rollup", fast, "ms", slow, 0.01, "at_most", note)


async def _folding(database: Database, branches: list[UUID], count: int, *, people: int = 0) -> Result:
    """Fold changes of branches all over the tree; of so many people, who come and go."""
    deltas = [
        orgtree.Delta(
            branches[number * 7919 % len(branches)], MEASURE, 1, number % people * _SPREAD if people else None
        )
        for number in range(count)
    ]
    rounds = [deltas, [each._replace(amount=-1) for each in deltas]] if people else [deltas]
    seconds = 0.0
    for noted in rounds:
        await _note(database, noted)
        began = time.perf_counter()
        await orgtree.fold(database)
        seconds += time.perf_counter() - began
    name, note = "rollup-folding", "one change each of branches all over the tree"
    if people:
        name, note = "rollup-folding-people", f"the same of {people:,} people, who come and go again"
    return Result(name, count * len(rounds) / seconds, "deltas/s", 5_000, 1.0, note=note)


async def _note(database: Database, deltas: Sequence[orgtree.Delta | tuple[UUID, str, int]]) -> None:
    for start in range(0, len(deltas), 10_000):
        async with database.transaction() as session:
            await orgtree.add_deltas(session, deltas[start : start + 10_000])


async def _plant(database: Database, fans: Sequence[int]) -> list[UUID]:
    """Write the tree and give the ids of its branches."""
    parents = [orgtree.ROOT_ID]
    for level, fan in zip(("city", "county", "township", "village", "branch"), fans, strict=True):
        rows = [(new_id(), parent) for parent in parents for _ in range(fan)]
        for start in range(0, len(rows), 20_000):
            part = rows[start : start + 20_000]
            async with database.transaction() as session:
                connection = await raw(session)
                await connection.execute(_LEVEL, level, [one for one, _ in part], [parent for _, parent in part])
        parents = [one for one, _ in rows]
    return parents


async def _milliseconds(times: int, ask: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
