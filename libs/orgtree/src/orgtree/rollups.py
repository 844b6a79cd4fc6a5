"""Counts up the tree: deltas are noted where they arise and folded into the totals of all ancestors.

`rollup_delta` takes deltas without any lock. `fold` moves them into `rollup_own`, the organisation's own value, and
into `rollup`, the total of every ancestor and itself, where the organisation's place is known. Where it is not, they
count for nobody until `place_organisations` learns the place and adds the own values to the ancestors. Both hold the
tree's lock, so that each own value stands in the totals of exactly the present ancestors whenever it is free. The
people behind the counts go the same way (`people.py`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database, raw
from orgtree.lock import lock_tree
from orgtree.people import ARRIVE, differing, follow_moves_of_people, gather
from orgtree.places import MAX_DEPTH, Change, Path, ids_of

FOLD_LIMIT = 20_000
"""Deltas folded in one transaction: about half a second, for which a move may have to wait."""

_ADD = """
insert into rollup_delta (organisation_id, measure, delta, person)
select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
"""

_FOLD = f"""
with drained as (
    delete from rollup_delta
    where id <= (select max(id) from (select id from rollup_delta order by id limit $1) as oldest)
    returning organisation_id, measure, delta, person
), summed as (
    select organisation_id, measure, sum(delta) as value from drained
    group by organisation_id, measure having sum(delta) <> 0
), own as (
    insert into rollup_own (organisation_id, measure, value)
    select organisation_id, measure, value from summed order by organisation_id, measure
    on conflict (organisation_id, measure) do update set value = rollup_own.value + excluded.value
    returning new.organisation_id, new.value
), total as (
    insert into rollup (organisation_id, measure, value)
    select ancestor, measure, sum(value)
    from summed join organisation using (organisation_id) cross join unnest(ancestors) ancestor
    group by ancestor, measure having sum(value) <> 0
    order by ancestor, measure
    on conflict (organisation_id, measure) do update set value = rollup.value + excluded.value
    returning new.organisation_id, new.value
), person as (
    insert into rollup_person (organisation_id, measure, person, value)
    select organisation_id, measure, person, sum(delta) from drained where person is not null
    group by organisation_id, measure, person having sum(delta) <> 0
    order by organisation_id, measure, person
    on conflict (organisation_id, measure, person) do update set value = rollup_person.value + excluded.value
    returning new.organisation_id, new.measure, new.person, new.value, coalesce(old.value, 0) as was
), arrived as (
    {ARRIVE}
)
select
    (select count(*) from drained) as drained,
    array(select organisation_id from own where value = 0) as own_zeros,
    array(select organisation_id from total where value = 0) as total_zeros,
    array(select organisation_id from person where value = 0) as person_zeros,
    array(select row(organisation_id, measure) from person where value <= 0 and was > 0) as departed
"""  # noqa: S608 - a statement of this package

# What counts to nothing has no row: how it came to that cannot be told from a table that was built anew.
_SWEEP = "delete from rollup where value = 0 and organisation_id = any($1::uuid[])"
_SWEEP_OWN = "delete from rollup_own where value = 0 and organisation_id = any($1::uuid[])"
_SWEEP_PERSON = "delete from rollup_person where value = 0 and organisation_id = any($1::uuid[])"

_OWN = """
select part, measure, sum(value)::bigint as value
from unnest($1::uuid[], $2::int[]) as c (organisation_id, part) join rollup_own using (organisation_id)
group by part, measure
"""

_MOVE = """
with total as (
    insert into rollup (organisation_id, measure, value)
    select * from unnest($1::uuid[], $2::text[], $3::bigint[])
    on conflict (organisation_id, measure) do update set value = rollup.value + excluded.value
    returning new.organisation_id, new.value
)
select organisation_id from total where value = 0
"""

_MEND = """
insert into rollup (organisation_id, measure, value)
select * from unnest($1::uuid[], $2::text[], $3::bigint[])
on conflict (organisation_id, measure) do update set value = excluded.value
"""

_TOTALS = "select measure, value from rollup where organisation_id = $1"

_TOTALS_OF_CHILDREN = """
select child.organisation_id, rollup.measure, rollup.value
from organisation child left join rollup on rollup.organisation_id = child.organisation_id
where child.parent_id = $1
order by child.organisation_id
"""

# Walks down the tree by parents, not by the kept paths, so that it does not repeat an error of theirs.
_RECOUNT = """
with recursive reached (organisation_id, ancestors) as (
    select organisation_id, array[organisation_id] from organisation where parent_id is null
    union all
    select child.organisation_id, reached.ancestors || child.organisation_id
    from reached join organisation child on child.parent_id = reached.organisation_id
    where cardinality(reached.ancestors) < $1
), counted as (
    select ancestor as organisation_id, measure, sum(value)::bigint as value
    from rollup_own join reached using (organisation_id) cross join unnest(ancestors) ancestor
    group by ancestor, measure
)
select organisation_id, measure, coalesce(rollup.value, 0) as kept, coalesce(counted.value, 0) as counted
from rollup full join counted using (organisation_id, measure)
where coalesce(rollup.value, 0) <> coalesce(counted.value, 0)
order by organisation_id, measure limit $2
"""


class Delta(NamedTuple):
    """A change of what an organisation counts for itself; `person` is the mark of whom it is about, if of anybody."""

    organisation_id: UUID
    measure: str
    amount: int
    person: int | None = None


class Difference(NamedTuple):
    """A kept total, or number of people behind one, that is not what a recount gives."""

    organisation_id: UUID
    measure: str
    kept: int
    counted: int


async def add_deltas(
    session: AsyncSession | asyncpg.Connection, deltas: Sequence[Delta | tuple[UUID, str, int]]
) -> None:
    """Note changes, without a person as (organisation, measure, amount), in this transaction; one statement, no lock.

    They show in the totals of the organisation and of all above it, and in the people behind these, after the next
    `fold`.
    """
    if deltas:
        await (await raw(session)).execute(_ADD, *zip(*(Delta(*each) for each in deltas), strict=True))


async def fold(database: Database) -> None:
    """Bring every noted delta into the totals, in transactions of at most 20,000; run it each second or two.

    Several that run at once are right but wait for one another.
    """
    async with database.look() as connection:
        if not await connection.fetchval("select exists (select from rollup_delta)"):
            return
    while True:
        async with database.transaction() as session:
            if await fold_some(session, FOLD_LIMIT) < FOLD_LIMIT:
                return


async def fold_here(session: AsyncSession) -> None:
    """Bring every noted delta into the totals as part of this transaction, e.g. to settle tables that are rebuilt."""
    while await fold_some(session, FOLD_LIMIT) == FOLD_LIMIT:
        pass


async def fold_some(session: AsyncSession, limit: int) -> int:
    """Bring up to `limit` deltas into the totals, oldest first, and say how many there were."""
    await lock_tree(session)
    connection = await raw(session)
    drained, own_zeros, total_zeros, person_zeros, departed = await connection.fetchrow(_FOLD, limit)
    for sweep, zeros in ((_SWEEP_OWN, own_zeros), (_SWEEP, total_zeros), (_SWEEP_PERSON, person_zeros)):
        if zeros:
            await connection.execute(sweep, zeros)
    if departed:
        await gather(session, [(organisation_id, measure) for organisation_id, measure in departed])
    return int(drained)


async def follow_moves(session: AsyncSession, changed: Sequence[Change]) -> None:
    """Take the own values of what moved from its former ancestors and give them to the present ones.

    The caller holds the tree's lock. What left the same ancestors for the same others goes as one sum, so that a large
    subtree costs little more than a single organisation.
    """
    parts: dict[tuple[Path | None, Path | None], int] = {}
    numbers = [parts.setdefault((each.left, each.joined), len(parts)) for each in changed]
    connection = await raw(session)
    rows = await connection.fetch(_OWN, [each.organisation_id for each in changed], numbers)
    ways = list(parts)
    moved: Counter[tuple[str, str]] = Counter()
    for part, measure, value in rows:
        left, joined = ways[part]
        for organisation_id in ids_of(left):
            moved[organisation_id, measure] -= value
        for organisation_id in ids_of(joined):
            moved[organisation_id, measure] += value
    if deltas := [(*key, value) for key, value in moved.items() if value]:
        zeros = await connection.fetch(_MOVE, *zip(*deltas, strict=True))
        if zeros:
            await connection.execute(_SWEEP, [row["organisation_id"] for row in zeros])
    await follow_moves_of_people(session, changed)


async def totals(session: AsyncSession, organisation_id: UUID) -> dict[str, int]:
    """Give the totals of an organisation and all below it, by measure; one that was never counted is missing."""
    return dict(await (await raw(session)).fetch(_TOTALS, organisation_id))


async def totals_of_children(session: AsyncSession, organisation_id: UUID) -> dict[UUID, dict[str, int]]:
    """Give `totals` for each child of an organisation, in order of their ids, also for those without any."""
    found: dict[UUID, dict[str, int]] = {}
    for child, measure, value in await (await raw(session)).fetch(_TOTALS_OF_CHILDREN, organisation_id):
        found.setdefault(child, {}).update({} if measure is None else {measure: value})
    return found


async def recount(
    session: AsyncSession | asyncpg.Connection, *, limit: int | None = 100, within_seconds: float | None = None
) -> list[Difference]:
    """Count every total and the people behind it anew; give up to `limit` of each that were kept wrongly.

    It is the oracle of what is kept and reads the whole tree, for as long as the connection's time-out allows or for
    `within_seconds`: run it nightly, not in a request.
    """
    rows = await (await raw(session)).fetch(_RECOUNT, MAX_DEPTH, limit, timeout=within_seconds)
    sets = await differing(session, limit=limit, within_seconds=within_seconds)
    people = [Difference(place, f"people of {measure}", *numbers) for place, measure, *numbers in sets]
    return [*(Difference(*row) for row in rows), *people]


async def mend(session: AsyncSession, *, within_seconds: float | None = None) -> int:
    """Set every total and set of people that was kept wrongly to what a recount gives, and say how many there were.

    Nothing folds or moves meanwhile. `within_seconds` is as of `recount`. It belongs after a rebuild of the tree whose
    own values were not rebuilt.
    """
    await lock_tree(session)
    connection = await raw(session)
    wrong = await connection.fetch(_RECOUNT, MAX_DEPTH, None, timeout=within_seconds)
    if wrong:
        places, measures, _, values = zip(*wrong, strict=True)
        await connection.execute(_MEND, places, measures, values)
        await connection.execute(_SWEEP, places)
    sets = await differing(session, limit=None, within_seconds=within_seconds)
    await gather(session, [(place, measure) for place, measure, *_ in sets])
    return len(wrong) + len(sets)
