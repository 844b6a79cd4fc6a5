"""Recoveries as officers and owners see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import Moment
from database import narrowed, page_of
from identity.recovery.schemas import RecoveryOut, Status
from identity.recovery.tables import Recovery, RecoveryApproval
from webapi import PageRequest


def shown(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the recoveries that take officers, each with those who agreed, in the shape of `RecoveryOut`."""
    agreed = select(RecoveryApproval.approver_id).where(RecoveryApproval.recovery_id == Recovery.recovery_id)
    return select(
        Recovery.recovery_id,
        Recovery.account_id.label("person_id"),
        Recovery.organisation_id,
        Recovery.status,
        Recovery.lost_device,
        func.array(agreed.scalar_subquery(), type_=ARRAY(Uuid)).label("approved_by"),
        Recovery.requested_at,
        Recovery.ready_at,
        Recovery.objected_at,
        Recovery.completed_at,
        Recovery.expires_at,
    ).where(Recovery.needs_approval, *conditions)


def recoveries_after(
    page: PageRequest, visible: ColumnElement[bool], status: Status | None
) -> Select[*tuple[Any, ...]]:
    """Select a page of the recoveries that are `visible`, newest first."""
    chosen, after = narrowed(shown(visible), {Recovery.status: status}), page.after(Moment, UUID)
    key = (Recovery.requested_at, Recovery.recovery_id)
    return page_of(chosen, *key, after=after, limit=page.fetch, latest_first=True)


async def recovery_of(session: AsyncSession, recovery_id: UUID) -> RecoveryOut:
    """Give one recovery as it is shown."""
    row = (await session.execute(shown(Recovery.recovery_id == recovery_id))).one()
    return RecoveryOut.model_validate(row)


def moment_of(row: RecoveryOut) -> tuple[datetime, UUID]:
    """Give what the list is ordered by."""
    return row.requested_at, row.recovery_id
