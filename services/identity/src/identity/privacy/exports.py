"""Asking for the file with all that is known of oneself."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from contracts.identity import ExportRequestedV1
from database import known
from identity.accounts.authorization import lock_account
from identity.privacy.rules import EXPORT_LIFETIME
from identity.privacy.schemas import ExportRequested
from identity.privacy.tables import ExportRequest
from messaging import Publication, append
from webapi import Limit, Page, PageRequest, count_reach

EXPORTS: Final = Limit("exports", most=5, window=EXPORT_LIFETIME)
"""Of one person: every service composes each of them, and the last ones can still be fetched."""


class ExportUnknown(Exception):
    """There is no such export of the caller, or its day is over."""


async def request_export(session: AsyncSession, *, export_id: UUID, by: audit.Actor, now: datetime) -> ExportRequest:
    """Have every service compose what it knows of the caller. Raises `AccountUnknown` and `TooOften`."""
    await lock_account(session, by.actor)
    await count_reach(session, EXPORTS, by.actor, now=now)
    asked = ExportRequest(export_id=export_id, person_id=by.actor, asked_at=now, expires_at=now + EXPORT_LIFETIME)
    session.add(asked)
    await session.flush()
    event = ExportRequestedV1(export_id=export_id, person_id=by.actor)
    await append(session, [Publication(event, version=1)], actor=by.actor)
    entry = by.entry("identity.export.requested", subject=by.actor, object_id=export_id)
    await audit.record(session, entry, now=now)
    return asked


async def one_export(session: AsyncSession, export_id: UUID, person_id: UUID, now: datetime) -> ExportRequest:
    """Give an export of the caller's that can still be fetched; raises `ExportUnknown`."""
    mine = (ExportRequest.export_id == export_id, ExportRequest.person_id == person_id, ExportRequest.expires_at > now)
    return known(await session.scalar(select(ExportRequest).where(*mine)), ExportUnknown)


async def list_exports(
    session: AsyncSession, page: PageRequest, person_id: UUID, now: datetime
) -> Page[ExportRequested]:
    """List a person's exports that can still be fetched, the latest first."""
    chosen = select(ExportRequest).where(ExportRequest.person_id == person_id, ExportRequest.expires_at > now)
    key, shape = (ExportRequest.asked_at, ExportRequest.export_id), ExportRequested.model_validate
    return await page.select(session, chosen, *key, shape=shape, latest_first=True)
