"""Recoveries as officers and owners see them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import Moment
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
    chosen = shown(visible)
    if status is not None:
        chosen = chosen.where(Recovery.status == status)
    after = page.after(Moment, UUID)
    if after is not None:
        chosen = chosen.where(tuple_(Recovery.requested_at, Recovery.recovery_id) < after)
    return chosen.order_by(Recovery.requested_at.desc(), Recovery.recovery_id.desc()).limit(page.fetch)


async def recovery_of(session: AsyncSession, recovery_id: UUID) -> RecoveryOut:
    """Give one recovery as it is shown."""
    row = (await session.execute(shown(Recovery.recovery_id == recovery_id))).one()
    return RecoveryOut.model_validate(row)


def moment_of(row: RecoveryOut) -> tuple[datetime, UUID]:
    """Give what the list is ordered by."""
    return row.requested_at, row.recovery_id
