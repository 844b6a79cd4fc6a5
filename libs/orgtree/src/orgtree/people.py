"""How many people stand behind a count, at every level: of each total the first eight people, or all there are.

Distinct people do not add up: five cases of one person in five villages are one person in the township. What is kept
of a measure at an organisation is therefore a set, the eight lowest marks among all people there and below it. The
eight lowest of a union are the eight lowest of its parts' eight lowest, so each level follows from the one below, and
a set does not depend on the order in which people came. Fewer than eight are all there are.

A mark is a person's id under a key of the database (`person_mark`); no id stands in these tables. `rollup_person` has
how often each person counts for the organisation itself, `rollup_people` the sets. Both are written under the tree's
lock alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from orgtree.places import MAX_DEPTH, Change, ids_of

KEPT = 8
"""People of a set that are kept: more than the five that a figure needs, so that a set of this size says "enough"."""

Marks = frozenset[int]
"""The marks of up to eight people: all there are, or eight of more."""

MARK = "select person_mark($1::uuid)"

# Written for `fold`, within its statement: "person" has the changes of own people. Where the set is full and no lower
# mark comes, nothing is written: high up the tree that is nearly always so.
ARRIVE = f"""
insert into rollup_people as kept (organisation_id, measure, people)
select ancestor, measure, (array_agg(distinct person.person order by person.person))[:{KEPT}]
from person join organisation using (organisation_id) cross join unnest(ancestors) ancestor
where person.value > 0 and person.was <= 0
group by ancestor, measure order by ancestor, measure
on conflict (organisation_id, measure) do update set people = array(
    select distinct each from unnest(kept.people || excluded.people) each order by each limit {KEPT}
)
where cardinality(kept.people) < {KEPT} or excluded.people[1] < kept.people[{KEPT}]
"""  # noqa: S608 - constants of this package

_DEPTHS = """
select organisation_id, coalesce(cardinality(ancestors), 0) as depth from organisation
where organisation_id = any($1::uuid[])
"""

_GATHER = f"""
with gathered as (
    select asked.organisation_id, measure, place.path is not null as placed, place.parent_id, kept.people as was,
        case when place.path is null then '{{}}'::bigint[] else array(
            select person from (
                (select person from rollup_person own
                 where own.organisation_id = asked.organisation_id and own.measure = asked.measure and own.value > 0
                 order by person limit {KEPT})
                union
                select unnest(below.people)
                from organisation child join rollup_people below
                    on below.organisation_id = child.organisation_id and below.measure = asked.measure
                where child.parent_id = asked.organisation_id and child.path is not null
            ) as everybody order by person limit {KEPT}
        ) end as people
    from unnest($1::uuid[], $2::text[]) as asked (organisation_id, measure)
    left join organisation place using (organisation_id)
    left join rollup_people kept using (organisation_id, measure)
), written as (
    insert into rollup_people (organisation_id, measure, people)
    select organisation_id, measure, people from gathered where people <> coalesce(was, '{{}}')
    order by organisation_id, measure
    on conflict (organisation_id, measure) do update set people = excluded.people
    returning organisation_id, measure
)
select organisation_id, measure, people = '{{}}' as nobody, case when placed then parent_id end as parent_id
from written join gathered using (organisation_id, measure)
"""  # noqa: S608 - constants of this package

_SWEEP = "delete from rollup_people where people = '{}' and organisation_id = any($1::uuid[])"

# What had a place has a set for every measure of its own people; what had none has only these people.
_CONCERNED = """
select number, measure from unnest($1::uuid[], $2::int[], $3::boolean[]) as c (organisation_id, number, had_place)
cross join lateral (
    select measure from rollup_people p where p.organisation_id = c.organisation_id
    union
    select measure from rollup_person p where p.organisation_id = c.organisation_id and not had_place
) as counted
"""

# Each set against its own people and its children's sets, down the tree by parents, not by the kept paths: where that
# holds everywhere, every set is what the people below it make.
_RECOUNT = f"""
with recursive reached (organisation_id, depth) as (
    select organisation_id, 1 from organisation where parent_id is null
    union all
    select child.organisation_id, depth + 1
    from reached join organisation child on child.parent_id = reached.organisation_id where depth < $1
), counted as (
    select organisation_id, measure, (array_agg(distinct person order by person))[:{KEPT}] as people from (
        select organisation_id, measure, person from rollup_person join reached using (organisation_id) where value > 0
        union all
        select child.parent_id, measure, unnest(people)
        from rollup_people join reached using (organisation_id) join organisation child using (organisation_id)
        where child.parent_id is not null
    ) as everybody group by organisation_id, measure
)
select organisation_id, measure, coalesce(cardinality(kept.people), 0) as kept,
    coalesce(cardinality(counted.people), 0) as counted
from rollup_people kept full join counted using (organisation_id, measure)
where kept.people is distinct from counted.people
order by organisation_id, measure limit $2
"""  # noqa: S608 - constants of this package

_PEOPLE = "select measure, people from rollup_people where organisation_id = $1"
_PEOPLE_OF_CHILDREN = """
select child.organisation_id, measure, people
from organisation child join rollup_people using (organisation_id) where child.parent_id = $1
"""
_OWN_PEOPLE = f"""
select measure, array(
    select person from rollup_person own
    where own.organisation_id = $1 and own.measure = kept.measure and own.value > 0 order by person limit {KEPT}
) as people
from rollup_people kept where organisation_id = $1
"""  # noqa: S608 - constants of this package


async def mark_of(session: AsyncSession, person_id: UUID) -> int:
    """Give the mark under which a person is counted in this database."""
    mark: int = await (await raw(session)).fetchval(MARK, person_id)
    return mark


async def people(session: AsyncSession, organisation_id: UUID) -> dict[str, Marks]:
    """Give by measure the people counted in an organisation and all below it: all of them, or eight of more."""
    return await _by_measure(session, _PEOPLE, organisation_id)


async def own_people(session: AsyncSession, organisation_id: UUID) -> dict[str, Marks]:
    """Give by measure the people counted for the organisation itself: all of them, or eight of more."""
    return await _by_measure(session, _OWN_PEOPLE, organisation_id)


async def people_of_children(session: AsyncSession, organisation_id: UUID) -> dict[UUID, dict[str, Marks]]:
    """Give `people` for each child of an organisation that has any."""
    found: dict[UUID, dict[str, Marks]] = defaultdict(dict)
    for child, measure, marks in await (await raw(session)).fetch(_PEOPLE_OF_CHILDREN, organisation_id):
        found[child][measure] = frozenset(marks)
    return found


async def gather(session: AsyncSession, wanted: Iterable[tuple[UUID, str]]) -> None:
    """Set these sets of (organisation, measure) right from below, and those above them that change by it.

    The caller holds the tree's lock. What depends on none of `wanted` must be right already.
    """
    connection = await raw(session)
    pairs = set(wanted)
    depths = dict(await connection.fetch(_DEPTHS, list({organisation_id for organisation_id, _ in pairs})))
    waiting: dict[int, set[tuple[UUID, str]]] = defaultdict(set)
    for pair in pairs:
        waiting[depths.get(pair[0], 0)].add(pair)
    emptied = []
    while waiting:
        depth = max(waiting)
        rows = await connection.fetch(_GATHER, *zip(*sorted(waiting.pop(depth)), strict=True))
        emptied += [row["organisation_id"] for row in rows if row["nobody"]]
        if above := {(row["parent_id"], row["measure"]) for row in rows if row["parent_id"]}:
            waiting[depth - 1] |= above
    if emptied:
        await connection.execute(_SWEEP, emptied)


async def follow_moves_of_people(session: AsyncSession, changed: Sequence[Change]) -> None:
    """Set right the sets of all that these changes of places took people from or gave people to.

    The caller holds the tree's lock, and the new places are written.
    """
    numbers = range(len(changed))
    had_place = [each.was is not None for each in changed]
    ids = [each.organisation_id for each in changed]
    concerned: dict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    wanted: set[tuple[UUID, str]] = set()
    for number, measure in await (await raw(session)).fetch(_CONCERNED, ids, numbers, had_place):
        change = changed[number]
        concerned[change.left, change.joined].add(measure)
        if change.was is None or change.now is None:
            wanted.add((change.organisation_id, measure))
    for (left, joined), measures in concerned.items():
        wanted |= {(UUID(place), measure) for place in (*ids_of(left), *ids_of(joined)) for measure in measures}
    await gather(session, wanted)


async def differing(
    session: AsyncSession | asyncpg.Connection, *, limit: int | None, within_seconds: float | None
) -> list[tuple[UUID, str, int, int]]:
    """Give up to `limit` sets that are not what a recount gives: organisation, measure, people kept and counted."""
    rows = await (await raw(session)).fetch(_RECOUNT, MAX_DEPTH, limit, timeout=within_seconds)
    return [tuple(row) for row in rows]


async def _by_measure(session: AsyncSession, query: str, organisation_id: UUID) -> dict[str, Marks]:
    rows = await (await raw(session)).fetch(query, organisation_id)
    return {measure: frozenset(marks) for measure, marks in rows}
