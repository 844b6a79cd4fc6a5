"""What is counted of a person lately, where a service limits what reaches others."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from privacy.own_data import Told
from webapi.reach import forget_reach

compose = Told(
    counted_lately="select reached, full_at as forgotten_at from reach_count where person_id = $1 order by reached"
).compose


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Delete it."""
    await forget_reach(session, person_ids)
