"""What the gateway's read models hold about a person, and what it forgets of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from gateway.contributions.event_handlers import forget_people
from gateway.erasing import erase_people

_ITEMS = """
select kind, subject_id, organisation_id, since, due_at, open from home_item
where audience = 'person:' || $1::text order by since, key
"""
_PARTICIPATIONS = """
select activity_id, registered, attended from home_participation where person_id = $1::uuid order by activity_id
"""
_STUDIES = """
select course_id, lesson_id, completed from home_study where person_id = $1::uuid order by course_id, lesson_id
"""
_FORGET = (
    "delete from home_item where audience = any(select 'person:' || gone from unnest($1::uuid[]) as gone)",
    "delete from home_participation where person_id = any($1::uuid[])",
    "delete from home_study where person_id = any($1::uuid[])",
)


async def compose(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """Give what a person's home is made of."""
    connection = await raw(session)
    return {
        "home_items": [dict(row) for row in await connection.fetch(_ITEMS, str(person_id))],
        "participations": [dict(row) for row in await connection.fetch(_PARTICIPATIONS, person_id)],
        "studies": [dict(row) for row in await connection.fetch(_STUDIES, person_id)],
    }


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Empty the homes of these people; the figures stay, about nobody what was about them."""
    connection = await raw(session)
    await erase_people(connection)
    for statement in _FORGET:
        await connection.execute(statement, list(person_ids))
    await forget_people(session, person_ids)
