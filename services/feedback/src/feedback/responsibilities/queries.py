"""Reads of the responsibility table: the whole of it by place and category, and what decides for one place."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import narrowed, page_of
from feedback.responsibilities.rules import Assignment
from feedback.responsibilities.schemas import ResponsibilityOut
from feedback.responsibilities.tables import Responsibility


async def list_responsibilities(
    session: AsyncSession,
    *,
    category: str | None,
    organisation_id: UUID | None,
    after: tuple[UUID] | None,
    limit: int,
) -> list[ResponsibilityOut]:
    """List responsibilities in the order of their ids, from the one after `after`."""
    same = {Responsibility.category: category, Responsibility.organisation_id: organisation_id}
    page = page_of(narrowed(select(Responsibility), same), Responsibility.responsibility_id, after=after, limit=limit)
    return [ResponsibilityOut.model_validate(row) for row in await session.scalars(page)]


async def assignments_along(session: AsyncSession, category: str, path: Sequence[UUID]) -> list[Assignment]:
    """Give every assignment of a category for the organisations of a path."""
    wanted = select(
        Responsibility.responsibility_id,
        Responsibility.organisation_id,
        Responsibility.responsible_id,
        Responsibility.working_days,
        Responsibility.valid_from,
    ).where(Responsibility.category == category, Responsibility.organisation_id.in_(path))
    return [Assignment(*row) for row in await session.execute(wanted)]
