"""What is forgotten of the people behind the figures; a file of own data holds it by the services that know more."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.contributions.event_handlers import forget_people
from privacy import Asked


async def compose(_: Asked) -> Mapping[str, object]:
    """Give nothing: a contribution says of a person what the service that told it puts into their file."""
    return {}


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Let what these people contributed be about nobody: the figures stay."""
    await forget_people(session, person_ids)
