"""Commands on cases: open one, answer it, confirm the answer."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from china_time.working_days import deadline
from contracts.feedback import CaseAnsweredV1, CaseConfirmedV1, CaseOpenedV1, CaseState
from database import KeyRing, insert_or_same, known
from feedback.cases.queries import CaseUnknown, visible_to
from feedback.cases.rules import NotResponsible, NotTheReporter, check_can_answer, check_can_confirm
from feedback.cases.schemas import OpenCase
from feedback.cases.sealing import new_key, seal_text, text_of
from feedback.cases.tables import Case, CaseEntry
from feedback.responsibilities.queries import assignments_along
from feedback.responsibilities.rules import nearest
from messaging import Publication, append
from webapi import Limit, count_reach
from webapi.versions import Expected

CASES: Final = Limit("cases", most=20, window=timedelta(days=1))
"""Of one person, whoever helps them: after a storm somebody may report a dozen things."""


class PlaceUnknown(Exception):
    """There is no such place, or it is not known here yet."""


class ReporterErased(Exception):
    """Who brought the case is erased, and what they said with them: there is nothing left to answer."""


class CaseIdTaken(Exception):
    """The id brought for a case belongs to another one."""


async def open_case(
    session: AsyncSession, *, case_id: UUID, wanted: OpenCase, ring: KeyRing, by: audit.Actor, now: datetime
) -> Case:
    """Take in a case and route it to whoever is responsible on this day; the same under its id changes nothing.

    Raises `PlaceUnknown`, `CategoryWithoutOwner`, `CaseIdTaken` and `TooOften`.
    """
    path = await orgtree.ancestors_of(session, wanted.organisation_id)
    if not path:
        raise PlaceUnknown
    assigned = nearest(path, await assignments_along(session, wanted.category, path), day_of(now))
    due = deadline(now, assigned.working_days)
    new = {
        "case_id": case_id,
        "category": wanted.category,
        "organisation_id": wanted.organisation_id,
        "responsibility_id": assigned.responsibility_id,
        "responsible_id": assigned.responsible_id,
        "reporter_id": by.person_id,
        "status": "open",
        "opened_at": now,
        "due_at": due.due_at,
        "due_provisionally": due.provisional,
        "data_key": new_key(ring, case_id),
        "version": 1,
    }
    stated = ("reporter_id", "category", "organisation_id")
    case, inserted = await insert_or_same(session, Case, new, stated=stated, taken=CaseIdTaken)
    if not inserted:
        if text_of(ring, case, await session.get_one(CaseEntry, (case_id, 1))) != wanted.text:
            raise CaseIdTaken
        return case
    await count_reach(session, CASES, by.person_id, now=now)
    await _record(session, case, "opened", CaseOpenedV1, seal_text(ring, case, wanted.text), by=by, at=now)
    return case


async def answer_case(
    session: AsyncSession,
    *,
    case_id: UUID,
    text: str,
    expected: Expected,
    visible: Collection[UUID],
    ring: KeyRing,
    by: audit.Actor,
    now: datetime,
) -> Case:
    """Answer a case for the organisation responsible for it.

    The remit is where the caller may answer, `visible` where the caller may read. Raises `CaseUnknown`,
    `NotResponsible`, `CaseNotOpen` and `ReporterErased`.
    """
    case = await _locked(session, case_id, expected, by, {*by.remit, *visible})
    try:
        await orgtree.require_within(session, case.responsible_id, by.remit)
    except orgtree.OutsideRemit as outside:
        raise NotResponsible from outside
    check_can_answer(case.status)
    if case.data_key is None:
        raise ReporterErased
    case.status, case.answered_at, case.version = "answered", now, case.version + 1
    await _record(session, case, "answered", CaseAnsweredV1, seal_text(ring, case, text), by=by, at=now)
    entry = by.entry(
        "feedback.case.answered", subject=case.reporter_id, object_id=case_id, organisation_id=case.organisation_id
    )
    await audit.record(session, entry, now=now)
    return case


async def confirm_answer(
    session: AsyncSession,
    *,
    case_id: UUID,
    expected: Expected,
    visible: Collection[UUID],
    by: audit.Actor,
    now: datetime,
) -> Case:
    """Take the reporter's word that the answer settles the case; confirming again changes nothing.

    Raises `CaseUnknown`, `NotTheReporter` and `CaseNotAnswered`.
    """
    case = await _locked(session, case_id, expected, by, visible)
    if case.reporter_id != by.person_id:
        raise NotTheReporter
    check_can_confirm(case.status)
    if case.status == "confirmed":
        return case
    case.status, case.confirmed_at, case.version = "confirmed", now, case.version + 1
    await _record(session, case, "confirmed", CaseConfirmedV1, None, by=by, at=now)
    return case


async def _locked(
    session: AsyncSession, case_id: UUID, expected: Expected, by: audit.Actor, visible: Collection[UUID]
) -> Case:
    found = select(Case).where(Case.case_id == case_id, visible_to(by.person_id, visible))
    case = known(await session.scalar(found.with_for_update()), CaseUnknown)
    expected.require(case.version)
    return case


async def _record(
    session: AsyncSession,
    case: Case,
    kind: str,
    event: type[CaseState],
    sealed: bytes | None,
    *,
    by: audit.Actor,
    at: datetime,
) -> None:
    """Write what happened to a case: its entry and its event, both of the case's new version."""
    session.add(CaseEntry(case_id=case.case_id, version=case.version, kind=kind, actor_id=by.actor, at=at, text=sealed))
    await session.flush()
    state = event.model_validate(case, from_attributes=True)
    await append(session, [Publication(state, case.version, by.origin)])
