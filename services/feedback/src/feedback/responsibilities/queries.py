"""Reads of the responsibility table: the whole of it by place and category, and what decides for one place."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from database import narrowed
from feedback.responsibilities.rules import Assignment
from feedback.responsibilities.schemas import ResponsibilityOut
from feedback.responsibilities.tables import Responsibility
from webapi import Page, PageRequest


async def list_responsibilities(
    session: AsyncSession, page: PageRequest, *, category: str | None, organisation_id: UUID | None
) -> Page[ResponsibilityOut]:
    """List responsibilities in the order of their ids."""
    same = {Responsibility.category: category, Responsibility.organisation_id: organisation_id}
    wanted, shape = narrowed(select(Responsibility), same), ResponsibilityOut.model_validate
    return await page.select(session, wanted, Responsibility.responsibility_id, shape=shape)


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
