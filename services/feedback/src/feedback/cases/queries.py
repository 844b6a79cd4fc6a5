"""Reads of cases: one's own, and for staff those of places and organisations within their remit."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from database import KeyRing, known, narrowed
from feedback.cases.rules import CaseStatus
from feedback.cases.schemas import CaseEntryOut, CaseOut, CaseWithEntries
from feedback.cases.sealing import text_of
from feedback.cases.tables import Case, CaseEntry
from webapi import Page, PageRequest


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
    page: PageRequest,
    *,
    person_id: UUID,
    remit: Collection[UUID],
    case_ids: list[UUID] | None,
    status: CaseStatus | None,
    category: str | None,
    organisation_id: UUID | None,
    responsible_id: UUID | None,
) -> Page[CaseOut]:
    """List the cases a person may see, the latest first."""
    wanted = narrowed(
        select(Case).where(visible_to(person_id, remit)),
        {
            Case.case_id: case_ids,
            Case.status: status,
            Case.category: category,
            Case.organisation_id: organisation_id,
            Case.responsible_id: responsible_id,
        },
    )
    key = (Case.opened_at, Case.case_id)
    return await page.select(session, wanted, *key, shape=CaseOut.model_validate, latest_first=True)


async def one_case(
    session: AsyncSession, case_id: UUID, *, person_id: UUID, remit: Collection[UUID], ring: KeyRing
) -> CaseWithEntries:
    """Give a case with what was said, unsealed, and by whom but an erased reporter; raises `CaseUnknown`."""
    found = select(Case).where(Case.case_id == case_id, visible_to(person_id, remit))
    case = known(await session.scalar(found), CaseUnknown)
    rows = await session.scalars(select(CaseEntry).where(CaseEntry.case_id == case_id).order_by(CaseEntry.version))
    entries = [
        CaseEntryOut(kind=row.kind, at=row.at, actor_id=_actor(case, row), text=text_of(ring, case, row))
        for row in rows
    ]
    return CaseWithEntries(**CaseOut.model_validate(case).model_dump(), entries=entries)


def _actor(case: Case, entry: CaseEntry) -> UUID | None:
    """Say who did it; not who brought the case and has been erased, for entries are never changed."""
    return None if case.data_key is None and entry.kind != "answered" else entry.actor_id
