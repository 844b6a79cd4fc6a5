"""Whether the officers who let somebody back into an account, or give it a new phone, are different people."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity.recovery.rules import APPROVE
from identity.roles.independence import offices_of, require_independent


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

    Nobody speaks by an office that another of them, or the person it is about, delegated, and no two by offices that
    the same person gave them alone. Raises `NotIndependent`.
    """
    offices = [
        await offices_of(session, officer, over=organisation_id, permission=APPROVE, at=at)
        for officer, at in [(actor, now), *given]
    ]
    require_independent(*offices, subject_id=subject_id)
