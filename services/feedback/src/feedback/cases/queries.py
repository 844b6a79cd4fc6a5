"""Reads of cases: one's own, and for staff those of places and organisations within their remit."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import KeyRing, narrowed, page_of
from feedback.cases.rules import CaseStatus
from feedback.cases.schemas import CaseEntryOut, CaseOut, CaseWithEntries
from feedback.cases.sealing import open_key, unseal_text
from feedback.cases.tables import Case, CaseEntry


class CaseUnknown(Exception):
    """There is no such case, or none that the caller may see."""


def visible_to(person_id: UUID, remit: Collection[UUID]) -> ColumnElement[bool]:
    """Give the predicate of one's own cases and those whose place or responsible organisation lies within `remit`."""
    own = Case.reporter_id == person_id
    if not remit:
        return own
    return or_(own, orgtree.within(Case.organisation_id, remit), orgtree.within(Case.responsible_id, remit))


async def list_cases(
    session: AsyncSession,
    *,
    person_id: UUID,
    remit: Collection[UUID],
    status: CaseStatus | None,
    category: str | None,
    organisation_id: UUID | None,
    responsible_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[CaseOut]:
    """List the cases a person may see, the latest first, from the one after `after`."""
    wanted = select(Case).where(visible_to(person_id, remit))
    wanted = narrowed(
        wanted,
        {
            Case.status: status,
            Case.category: category,
            Case.organisation_id: organisation_id,
            Case.responsible_id: responsible_id,
        },
    )
    page = page_of(wanted, Case.opened_at, Case.case_id, after=after, limit=limit, latest_first=True)
    return [CaseOut.model_validate(case) for case in await session.scalars(page)]


async def one_case(
    session: AsyncSession, case_id: UUID, *, person_id: UUID, remit: Collection[UUID], ring: KeyRing
) -> CaseWithEntries:
    """Give a case with what was said, unsealed; raises `CaseUnknown`."""
    case = await session.scalar(select(Case).where(Case.case_id == case_id, visible_to(person_id, remit)))
    if case is None:
        raise CaseUnknown
    data_key = None if case.data_key is None else open_key(ring, case_id, case.data_key)
    rows = await session.scalars(select(CaseEntry).where(CaseEntry.case_id == case_id).order_by(CaseEntry.version))
    entries = [
        CaseEntryOut(
            kind=row.kind,
            at=row.at,
            actor_id=row.actor_id,
            text=unseal_text(data_key, case_id, row.version, row.text) if row.text and data_key else None,
        )
        for row in rows
    ]
    return CaseWithEntries(**CaseOut.model_validate(case).model_dump(), entries=entries)
