"""What a person gets of what their home is made of, and what is forgotten of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from gateway import change_log
from gateway.erasing import erase_people
from privacy import Asked

_ITEMS = """
select kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts from home_item
where audience = 'person:' || $1::text order by since, key
"""
_DONE = """
select kind, subject_id, part_id, done from home_done where person_id = $1::uuid order by kind, subject_id, part_id
"""
_CHANGES = """
select subject_id, gone, part from home_change
where audience = 'person:' || $1::text order by txid, id
"""
_FORGET = (
    "delete from home_item where audience = any(select 'person:' || gone from unnest($1::uuid[]) as gone)",
    "delete from home_done where person_id = any($1::uuid[])",
)


async def compose(asked: Asked) -> dict[str, Any]:
    """Give what a person's home is made of."""
    connection = await raw(asked.session)
    return {
        "home_items": [dict(row) for row in await connection.fetch(_ITEMS, str(asked.person_id))],
        "done": [dict(row) for row in await connection.fetch(_DONE, asked.person_id)],
        "home_changes": [dict(row) for row in await connection.fetch(_CHANGES, str(asked.person_id))],
    }


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Empty the homes of these people."""
    connection = await raw(session)
    await erase_people(connection)
    for statement in _FORGET:
        await connection.execute(statement, list(person_ids))
    await change_log.forget(connection, "home_change", person_ids)
