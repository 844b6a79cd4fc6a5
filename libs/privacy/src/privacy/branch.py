"""The organisation to which a person belongs, as the service's copy of the tree knows it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from privacy.own_data import Asked


async def compose(asked: Asked) -> dict[str, UUID | None]:
    """Give the organisation."""
    return {"branch_id": await orgtree.affiliation_of(asked.session, asked.person_id)}


async def forget(_: AsyncSession, __: Sequence[UUID]) -> None:
    """Do nothing: an id stays that leads to nobody any more, and by which people were counted where they belonged."""
