"""What a person gets of the activities they set down."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import raw
from privacy import Asked

_IN_OFFICE = """
select activity_id, title, organisation_id, scheduled_by = $1 as scheduled, scheduled_at,
       coalesce(closed_by = $1, false) as closed, closed_at
from activity where scheduled_by = $1 or closed_by = $1 order by scheduled_at, activity_id
"""


async def compose(asked: Asked) -> dict[str, Any]:
    """Give the activities that a person set down or closed in office."""
    rows = await (await raw(asked.session)).fetch(_IN_OFFICE, asked.person_id)
    return {"set_down_in_office": [dict(row) for row in rows]}


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: who set an activity down is the organisation's record, by an id that leads to nobody any more."""
