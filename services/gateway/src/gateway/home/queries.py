"""Reads one person's home: as many reads of an index as they have audiences and kinds, each as long as the page."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

import orgtree
from gateway.home.composing import item_of
from gateway.home.items import Kind

Order = Literal["since", "due"]

_HOME = """
with asked as (
    select 'person:' || $1::uuid as audience, unnest($2::text[]) as kind
    union all
    select 'members:' || place, kind from unnest($3::text[]) as kind, (
        select unnest(ancestors) as place
        from affiliation join organisation using (organisation_id) where person_id = $1
        union select $4::uuid
    ) as places
    union all
    select * from unnest($5::text[], $6::text[])
)
select item.key, item.kind, item.subject_id, item.organisation_id, organisation.name as organisation_name,
       item.since, item.due_at, item.facts::text as facts
from asked cross join lateral (
    select * from home_item as item
    where item.open and item.audience = asked.audience and item.kind = asked.kind
      and (item.expires_at is null or item.expires_at > $7)
      and (item.parts = '{}' or cardinality(item.parts) > (
          select count(*) from home_done as mine
          where mine.person_id = $1 and mine.kind = item.kind and mine.subject_id = item.subject_id and mine.done
            and mine.part_id = any(item.parts)))
      /* after */
    order by /* order */ limit $8
) as item left join organisation on organisation.organisation_id = item.organisation_id
order by /* order */ limit $8
"""
_AFTER_SINCE: Final = "and (item.since, item.key) < ($9::timestamptz, $10)"
_AFTER_DUE: Final = "and (coalesce(item.due_at, 'infinity'), item.key) > (coalesce($9::timestamptz, 'infinity'), $10)"
_BY: Final[Mapping[Order, tuple[str, str]]] = {
    "since": (_AFTER_SINCE, "item.since desc, item.key desc"),
    "due": (_AFTER_DUE, "coalesce(item.due_at, 'infinity'), item.key"),
}
STATEMENTS: Final = {
    (order, goes_on): _HOME.replace("/* after */", after if goes_on else "").replace("/* order */", by)
    for order, (after, by) in _BY.items()
    for goes_on in (False, True)
}


async def home_of(
    connection: asyncpg.Connection,
    *,
    person_id: UUID,
    kinds: Collection[Kind],
    remits: Mapping[str, Collection[UUID]],
    now: datetime,
    order: Order,
    after: tuple[datetime | None, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """List what of these kinds this person has to do and to read, at most `limit` items after the cursor.

    They are in the form of `HomeItemOut`. By `since` the newest stand first, by `due` those that are due soonest, and
    last those that are never due. `remits` are the organisations on which the caller has each permission for whose
    holders there are items.
    """
    staff = [(kind.whose(place), kind.name) for kind in kinds for place in remits.get(kind.audience, ())]
    rows = await connection.fetch(
        STATEMENTS[order, after is not None],
        person_id,
        [kind.name for kind in kinds if kind.audience == "person"],
        [kind.name for kind in kinds if kind.audience == "members"],
        orgtree.ROOT_ID,
        [audience for audience, _ in staff],
        [name for _, name in staff],
        now,
        limit,
        *(after or ()),
    )
    return [item_of(row, now) for row in rows]
