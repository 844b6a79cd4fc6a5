"""Whether somebody has a say over all the roles that a person holds."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.roles.queries import not_over
from identity.roles.tables import RoleAssignment


class RoleBeyondScope(Exception):
    """The person holds a role where the officer has no say."""


async def require_say_over_roles(
    session: AsyncSession, person_id: UUID, scopes: Collection[UUID], *, today: date
) -> None:
    """Raise `RoleBeyondScope` when the person holds a role outside `scopes`, or will: a county rules no province."""
    held = (RoleAssignment.person_id == person_id, not_over(today))
    beyond = select(RoleAssignment.assignment_id).where(*held, ~orgtree.within(RoleAssignment.organisation_id, scopes))
    if await session.scalar(beyond.limit(1)) is not None:
        raise RoleBeyondScope
