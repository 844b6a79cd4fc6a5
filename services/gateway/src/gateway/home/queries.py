"""Reads one person's home in one indexed query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import raw
from gateway.home.schemas import HomeItemOut

_HREF = {
    "activity.attend": "/v1/activities/{}",
    "course.study": "/v1/courses/{}",
    "case.answer": "/v1/cases/{}",
    "case.confirm": "/v1/cases/{}",
    "case.follow": "/v1/cases/{}",
    "learner.help": "/v1/lessons/{}",
}

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
  and not (item.kind = 'activity.attend' and exists (
      select 1 from home_participation as mine
      where mine.person_id = $1 and mine.activity_id = item.subject_id and mine.attended))
  and not (item.kind = 'course.study' and jsonb_array_length(item.facts -> 'lesson_ids') <= (
      select count(*) from home_study as mine
      where mine.person_id = $1 and mine.course_id = item.subject_id and mine.completed
        and item.facts -> 'lesson_ids' ? mine.lesson_id::text))
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

    `staff_audiences` are the `staff:<permission>:<organisation>` names that the caller's roles give.
    """
    connection = await raw(session)
    since, key = after or (None, None)
    audiences = [f"person:{person_id}", *staff_audiences]
    rows = await connection.fetch(_HOME, person_id, audiences, str(orgtree.ROOT_ID), now, since, key, limit)
    return [_item(row) for row in rows]


def _item(row: Any) -> HomeItemOut:
    fields = dict(row)
    fields["href"] = _HREF[fields["kind"]].format(fields["subject_id"])
    fields["facts"] = orjson.loads(fields["facts"])
    return HomeItemOut.model_validate(fields)
