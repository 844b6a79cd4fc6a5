"""Where each organisation stands: its own state from events, and its path from where its ancestors stand."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.members import OrganisationState, OrganisationWithdrawnV1
from database import columns, raw
from orgtree.lock import lock_tree
from orgtree.places import Placed, changes
from orgtree.rollups import follow_moves
from orgtree.root import ROOT_ID, ROOT_KIND, ROOT_LEVEL, ROOT_NAME

# The root exists without an event. Tables that were made anew for a rebuild have not got it from the migration.
_PLANT_ROOT = """
insert into organisation (organisation_id, kind, level, name, version) values ($1, $2, $3, $4, 0)
on conflict do nothing returning organisation_id, parent_id, path
"""

_WRITE = """
with written as (
    insert into organisation (organisation_id, parent_id, kind, level, name, division_code, version)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
    on conflict (organisation_id) do update set
        parent_id = excluded.parent_id, kind = excluded.kind, level = excluded.level, name = excluded.name,
        division_code = excluded.division_code, version = excluded.version
    where organisation.version < excluded.version
    returning new.organisation_id, new.parent_id, old.path,
        old.organisation_id is null or old.parent_id is distinct from new.parent_id as moved
)
select organisation_id, parent_id, path from written where moved
"""

# The root is nobody's to withdraw.
_FORGET = """
delete from organisation using unnest($1::uuid[], $2::bigint[]) as gone(organisation_id, version)
where organisation.organisation_id = gone.organisation_id and organisation.version < gone.version
  and organisation.parent_id is not null
returning organisation.organisation_id, organisation.path
"""

# Level by level, each with a plan that cannot go wrong. One recursive statement for all of it was planned for a handful
# of rows and took minutes for thousands.
_CHILDREN = "select organisation_id, parent_id, path from organisation where parent_id = any($1::uuid[])"
_PATHS = "select organisation_id, path from organisation where organisation_id = any($1::uuid[])"

_PLACE = """
update organisation o set path = n.path, ancestors = string_to_array(btrim(n.path, '/'), '/')::uuid[]
from unnest($1::uuid[], $2::text[]) as n (organisation_id, path)
where o.organisation_id = n.organisation_id
"""


async def place_organisations(session: AsyncSession, states: Iterable[tuple[OrganisationState, int]]) -> None:
    """Take over resulting states of organisations, each with its aggregate's version, in any order.

    A state that is not newer than what is known changes nothing. Paths and kept rollups of everything that stands
    elsewhere now are right when this returns. The owner of the tree may call it inside its commands; everybody else
    gets here by events.
    """
    latest = {state.organisation_id: (state, version) for state, version in sorted(states, key=itemgetter(1))}
    if not latest:
        return
    await lock_tree(session)
    connection = await raw(session)
    planted = await connection.fetch(_PLANT_ROOT, ROOT_ID, ROOT_KIND, ROOT_LEVEL, ROOT_NAME)
    rows = [
        (o.organisation_id, o.parent_id, o.kind, o.level, o.name, o.division_code, version)
        for o, version in latest.values()
    ]
    written = await connection.fetch(_WRITE, *columns(rows))
    await _move(
        session, {row["organisation_id"]: Placed(row["parent_id"], row["path"]) for row in (*planted, *written)}
    )


async def forget_organisations(session: AsyncSession, states: Iterable[tuple[OrganisationWithdrawnV1, int]]) -> None:
    """Take organisations out of the tree, unless something newer is known of them; what hangs on them has no path.

    What they counted for themselves is in nobody's totals until somebody tells where they stand.
    """
    await lock_tree(session)
    connection = await raw(session)
    gone = [(state.organisation_id, version) for state, version in states]
    # Below itself, which is nowhere.
    rows = await connection.fetch(_FORGET, *columns(gone)) if gone else ()
    await _move(session, {row["organisation_id"]: Placed(row["organisation_id"], row["path"]) for row in rows})


async def _move(session: AsyncSession, moved: Mapping[UUID, Placed]) -> None:
    """Place what stands elsewhere now, and all below it, and take what they count along."""
    connection = await raw(session)
    affected = await _with_all_below(connection, moved)
    outside = {each.parent_id for each in affected.values() if each.parent_id} - affected.keys()
    parents = dict(await connection.fetch(_PATHS, list(outside)) if outside else ())
    if changed := list(changes(affected, moved.keys(), parents)):
        await connection.execute(_PLACE, [each.organisation_id for each in changed], [each.now for each in changed])
        await follow_moves(session, changed)


async def _with_all_below(connection: asyncpg.Connection, organisations: Mapping[UUID, Placed]) -> dict[UUID, Placed]:
    """Add all that stand below these organisations; a cycle ends where it began."""
    found = dict(organisations)
    level = list(organisations)
    while level:
        rows = await connection.fetch(_CHILDREN, level)
        below = {row["organisation_id"]: Placed(row["parent_id"], row["path"]) for row in rows}
        level = [organisation_id for organisation_id in below if organisation_id not in found]
        found |= {organisation_id: below[organisation_id] for organisation_id in level}
    return found


async def ancestors_of(session: AsyncSession, organisation_id: UUID) -> tuple[UUID, ...]:
    """Give the ids from the root to the organisation, itself included; nothing when its place is not known."""
    found = await (await raw(session)).fetchval(
        "select ancestors from organisation where organisation_id = $1", organisation_id
    )
    return tuple(found or ())
