"""Phone replacements as officers and owners see them: of the number its end, and only while it is under way."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import Moment
from database import KeyRing, narrowed, page_of
from identity.phone_replacement.numbers import opened
from identity.phone_replacement.schemas import PhoneReplacementOut, Status
from identity.phone_replacement.tables import PhoneReplacement
from webapi import PageRequest


def replacements_after(
    page: PageRequest, visible: ColumnElement[bool], status: Status | None
) -> Select[*tuple[Any, ...]]:
    """Select a page of the replacements that are `visible`, newest first."""
    chosen, after = narrowed(_shown(visible), {PhoneReplacement.status: status}), page.after(Moment, UUID)
    key = (PhoneReplacement.proposed_at, PhoneReplacement.replacement_id)
    return page_of(chosen, *key, after=after, limit=page.fetch, latest_first=True)


async def replacement_of(session: AsyncSession, ring: KeyRing, replacement_id: UUID) -> PhoneReplacementOut:
    """Give one replacement as it is shown."""
    this = PhoneReplacement.replacement_id == replacement_id
    return as_shown(ring, (await session.execute(_shown(this))).one())


def as_shown(ring: KeyRing, row: Row[Any]) -> PhoneReplacementOut:
    """Give a row as it is shown. Raises `SealBroken`."""
    columns = {name: getattr(row, name) for name in PhoneReplacementOut.model_fields if name != "ends_in"}
    number = None if row.sealed_phone is None else opened(ring, row.replacement_id, row.sealed_phone)
    return PhoneReplacementOut(ends_in=number and number[-4:], **columns)


def moment_of(shown: PhoneReplacementOut) -> tuple[datetime, UUID]:
    """Give what the list is ordered by."""
    return shown.proposed_at, shown.replacement_id


def _shown(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(
        PhoneReplacement.replacement_id,
        PhoneReplacement.account_id.label("person_id"),
        PhoneReplacement.organisation_id,
        PhoneReplacement.status,
        PhoneReplacement.sealed_phone,
        PhoneReplacement.proposed_by,
        PhoneReplacement.approved_by,
        PhoneReplacement.proposed_at,
        PhoneReplacement.confirmed_at,
        PhoneReplacement.approved_at,
        PhoneReplacement.ready_at,
        PhoneReplacement.objected_at,
        PhoneReplacement.completed_at,
        PhoneReplacement.expires_at,
    ).where(*conditions)
