"""What a person gets of the responsibilities they assigned."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from privacy import Asked

_ASSIGNED = """
select responsibility_id, category, organisation_id, responsible_id, valid_from, assigned_at from responsibility
where assigned_by = $1 order by assigned_at, responsibility_id
"""


async def compose(asked: Asked) -> dict[str, Any]:
    """Give the responsibilities that a person assigned in office."""
    assigned = await (await raw(asked.session)).fetch(_ASSIGNED, asked.person_id)
    return {"assigned_in_office": [dict(row) for row in assigned]}


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: who assigned what in office is the organisation's record, by an id that leads to nobody any more."""
