"""Reads one person's home in one indexed query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import raw
from gateway.home.kinds import KINDS
from gateway.home.schemas import HomeItemOut

_UNKNOWN = Counter("gateway_home_unknown_kind", "Items left out of a home, for this process does not know their kind.")

_HOME = """
with audience as (
    select unnest($2::text[]) as name
    union select 'members:' || ancestor
    from affiliation join organisation using (organisation_id), unnest(ancestors) as ancestor
    where person_id = $1
    union select 'members:' || $3::text
)
select item.key, item.kind, item.subject_id, item.organisation_id, organisation.name as organisation_name,
       item.since, item.due_at, coalesce(item.due_at < $4, false) as overdue, item.facts::text as facts
from home_item as item left join organisation using (organisation_id)
where item.open and item.audience in (select name from audience)
  and (item.expires_at is null or item.expires_at > $4)
  and ($5::timestamptz is null or (item.since, item.key) < ($5, $6))
  and (item.parts = '{}' or cardinality(item.parts) > (
      select count(*) from home_done as mine
      where mine.person_id = $1 and mine.kind = item.kind and mine.subject_id = item.subject_id and mine.done
        and mine.part_id = any(item.parts)))
order by item.since desc, item.key desc
limit $7
"""


async def home_of(
    session: AsyncSession,
    *,
    person_id: UUID,
    staff_audiences: Sequence[str],
    now: datetime,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[HomeItemOut]:
    """List what this person has to do and to read, newest first, at most `limit` items after the cursor.

    What is of a kind that this process does not know is left out and counted. `staff_audiences` are the
    `staff:<permission>:<organisation>` names that the caller's roles give.
    """
    connection = await raw(session)
    audiences = [f"person:{person_id}", *staff_audiences]
    found: list[HomeItemOut] = []
    while True:
        since, key = after or (None, None)
        wanted = limit - len(found)
        rows = await connection.fetch(_HOME, person_id, audiences, str(orgtree.ROOT_ID), now, since, key, wanted)
        known = [_item(row) for row in rows if row["kind"] in KINDS]
        _UNKNOWN.inc(len(rows) - len(known))
        found += known
        if len(rows) < wanted or len(found) == limit:
            return found
        after = rows[-1]["since"], rows[-1]["key"]


def _item(row: Any) -> HomeItemOut:
    fields = dict(row)
    fields["href"] = KINDS[fields["kind"]].href.format(fields["subject_id"])
    fields["facts"] = orjson.loads(fields["facts"])
    return HomeItemOut.model_validate(fields)
