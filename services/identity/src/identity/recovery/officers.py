"""Whether the officers who let somebody back into an account, or give it a new phone, are different people."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity.recovery.rules import APPROVE
from identity.roles.independence import NotIndependent, behind_permission, require_independent


async def require_independent_officers(
    session: AsyncSession,
    *,
    subject_id: UUID,
    organisation_id: UUID,
    actor: UUID,
    given: Iterable[tuple[UUID, datetime]],
    now: datetime,
) -> None:
    """Demand that `actor` decides by an office of their own, beside those who have decided: who, and when.

    Neither speaks by an office that another of them, or the person it is about, delegated. Raises `NotIndependent`.
    """
    mine = await behind_permission(session, actor, over=organisation_id, permission=APPROVE, at=now)
    if mine <= {subject_id}:
        raise NotIndependent
    for other, at in given:
        theirs = await behind_permission(session, other, over=organisation_id, permission=APPROVE, at=at)
        require_independent(mine, theirs, subject_id=subject_id)
