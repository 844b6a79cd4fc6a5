"""Replacements that come to nothing: out of time, overtaken, or of an account that is not in use any more."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.phone_replacement.numbers import destroy_number
from identity.phone_replacement.tables import PhoneReplacement

OPEN = PhoneReplacement.status.in_(("proposed", "confirmed", "approved"))


async def lapse(session: AsyncSession, ring: KeyRing, *conditions: ColumnElement[bool], now: datetime) -> None:
    """End the open replacements that meet these conditions, tell those who confirmed, and destroy the numbers."""
    found = select(PhoneReplacement).where(*conditions, OPEN).order_by(PhoneReplacement.replacement_id)
    for replacement in (await session.scalars(found.with_for_update())).all():
        replacement.status = "lapsed"
        await destroy_number(session, ring, replacement, "phone_replacement_ended", now=now)
        await record(session, "lapsed", replacement, now=now)
    await session.flush()


async def lapse_of(session: AsyncSession, ring: KeyRing, account_id: UUID, *, now: datetime) -> None:
    """End the open replacement of an account, if there is one."""
    await lapse(session, ring, PhoneReplacement.account_id == account_id, now=now)


async def record(
    session: AsyncSession, done: str, replacement: PhoneReplacement, *, now: datetime, by: audit.Actor | None = None
) -> None:
    """Put a step into the audit: who took it, or nobody where it came of time alone."""
    make = audit.Entry if by is None else by.entry
    entry = make(
        action=f"identity.phone_replacement.{done}",
        subject=replacement.account_id,
        object_id=replacement.replacement_id,
        organisation_id=replacement.organisation_id,
    )
    await audit.record(session, entry, now=now)
