"""What a person gets of what they were told that changed, and what is forgotten of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from gateway.change_log import forget as forget_in
from gateway.erasing import erase_people
from privacy import Asked

_TOLD = """
select scope, subject_id, gone, part from change
where audience = 'person:' || $1::text order by txid, id
"""


async def compose(asked: Asked) -> dict[str, Any]:
    """Give what of a person's own things is in the log; what stood on their home is told with that."""
    connection = await raw(asked.session)
    return {"changes": [dict(row) for row in await connection.fetch(_TOLD, str(asked.person_id))]}


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Take these people out of the log; their homes' own goes with their homes."""
    connection = await raw(session)
    await erase_people(connection)
    await forget_in(connection, "change", person_ids)
