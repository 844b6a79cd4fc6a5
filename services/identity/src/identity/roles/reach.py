"""Whether somebody has a say over all the roles that a person holds."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from identity.roles.queries import not_over
from identity.roles.tables import RoleAssignment


class RoleBeyondRemit(Exception):
    """The person holds a role where the officer has no say."""


async def require_roles_within(session: AsyncSession, person_id: UUID, remit: Collection[UUID], *, today: date) -> None:
    """Raise `RoleBeyondRemit` when the person holds a role outside `remit`, or will: a county rules no province."""
    held = (RoleAssignment.person_id == person_id, not_over(today))
    beyond = select(RoleAssignment.assignment_id).where(*held, ~orgtree.within(RoleAssignment.organisation_id, remit))
    if await session.scalar(beyond.limit(1)) is not None:
        raise RoleBeyondRemit
