"""What a person gets of their cases and of what they answered, and what is forgotten of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing
from feedback.cases.sealing import text_of
from feedback.cases.tables import Case, CaseEntry
from privacy import Asked

_CASE_FIELDS = (
    "case_id", "category", "organisation_id", "responsible_id", "status", "opened_at", "due_at",
    "due_provisionally", "answered_at", "confirmed_at",
)  # fmt: skip


async def compose(asked: Asked) -> dict[str, Any]:
    """Give the cases a person brought, with what was said, and what they wrote about those of others."""
    return {
        "cases": await _cases(asked.session, asked.ring, asked.person_id),
        "answered_in_office": await _answers(asked.session, asked.ring, asked.person_id),
    }


async def forget(session: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Destroy the keys of the cases these people brought: nobody reads any more what was said in them, or by whom.

    That a case was brought, routed and answered stays, and is counted.
    """
    theirs = update(Case).where(Case.reporter_id.in_(person_ids))
    await session.execute(theirs.values(data_key=None, reporter_id=None))


async def _cases(session: AsyncSession, ring: KeyRing, person_id: UUID) -> list[dict[str, Any]]:
    """Give the cases a person brought, with what they said and what they were answered; by whom stays out."""
    found = select(Case).where(Case.reporter_id == person_id).order_by(Case.opened_at, Case.case_id)
    cases = []
    for case in (await session.scalars(found)).all():
        entries = select(CaseEntry).where(CaseEntry.case_id == case.case_id).order_by(CaseEntry.version)
        said = [
            {
                "kind": entry.kind,
                "at": entry.at,
                "by_oneself": entry.actor_id == person_id,
                "text": text_of(ring, case, entry),
            }
            for entry in (await session.scalars(entries)).all()
        ]
        cases.append({**{field: getattr(case, field) for field in _CASE_FIELDS}, "entries": said})
    return cases


async def _answers(session: AsyncSession, ring: KeyRing, person_id: UUID) -> list[dict[str, Any]]:
    """Give what a person wrote about cases of others; what those said stays out."""
    found = (
        select(Case, CaseEntry)
        .join(CaseEntry, CaseEntry.case_id == Case.case_id)
        .where(CaseEntry.actor_id == person_id, CaseEntry.kind == "answered")
        .order_by(CaseEntry.at, CaseEntry.case_id)
    )
    return [
        {"case_id": case.case_id, "at": entry.at, "text": text_of(ring, case, entry)}
        for case, entry in (await session.execute(found)).all()
    ]
