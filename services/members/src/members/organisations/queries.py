"""Reads of the organisation tree, as it is or as it was on a day, within the caller's remit."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import known, narrowed
from members.organisations.commands import OrganisationUnknown
from members.organisations.schemas import OrganisationOut
from members.organisations.tables import OrganisationPeriod, RegisteredOrganisation
from webapi import Page, PageRequest


def organisations_as_of(day: date | None, remit: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    """Select the organisations of `day` (None: now) in the remit; who may see one is decided by its present place."""
    period = OrganisationPeriod
    held: ColumnElement[bool] = period.until_day.is_(None)
    if day is not None:
        held = and_(period.from_day <= day, or_(held, period.until_day >= day))
    register = RegisteredOrganisation
    return (
        select(
            register.organisation_id,
            period.parent_id,
            register.kind,
            register.level,
            period.name,
            period.division_code,
            register.established_on,
            register.dissolved_on,
            register.version,
        )
        .join(period, period.organisation_id == register.organisation_id)
        .where(held, orgtree.within(register.organisation_id, remit))
    )


async def one_organisation(
    session: AsyncSession, organisation_id: UUID, *, day: date | None = None, remit: Collection[UUID]
) -> OrganisationOut:
    """Give an organisation as of `day`; raises `OrganisationUnknown` where it was not there or is not in the remit."""
    wanted = organisations_as_of(day, remit).where(RegisteredOrganisation.organisation_id == organisation_id)
    row = known((await session.execute(wanted)).one_or_none(), OrganisationUnknown)
    return OrganisationOut.model_validate(row)


async def list_organisations(
    session: AsyncSession,
    page: PageRequest,
    *,
    remit: Collection[UUID],
    day: date | None = None,
    parent_id: UUID | None = None,
    level: str | None = None,
    kind: str | None = None,
) -> Page[OrganisationOut]:
    """List organisations in the order of their ids."""
    register, shape = RegisteredOrganisation, OrganisationOut.model_validate
    same = {OrganisationPeriod.parent_id: parent_id, register.level: level, register.kind: kind}
    wanted = narrowed(organisations_as_of(day, remit), same)
    return await page.select(session, wanted, register.organisation_id, shape=shape)
