"""The pages on which an owner stops the recovery of the account, or its new phone, by a code to the phone on file.

It is the code of the notice, or one that is sent: strangers can use up those that are sent, never that of the notice.
"""

import logging
import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select, union_all
from starlette.responses import Response

from database import utc_now
from identity.accounts.phones import account_with, normalised_phone
from identity.challenges import pages
from identity.pages.addresses import page_address
from identity.pages.html import page
from identity.pages.requests import read_form
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.phone_replacement.commands import object_to_phone
from identity.phone_replacement.lapses import OPEN as REPLACEMENT_OPEN
from identity.phone_replacement.rules import ReplacementUnknown
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.commands import OPEN as RECOVERY_OPEN
from identity.recovery.commands import object_to_recovery
from identity.recovery.notice_codes import TRIES_PER_ADDRESS, notice_code
from identity.recovery.pages import OBJECTION, phone_page, send
from identity.recovery.rules import RecoveryUnknown
from identity.recovery.tables import Recovery
from identity.shared import IdentityShared, Shared
from identity.throttling.rates import TooOften, count, subject_of

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PURPOSE = "recovery_objection"
CODE = "/sign-in/objection/code"
_TITLE = "objection_title"
_log = logging.getLogger(__name__)


@router.get(OBJECTION)
async def show_objection(request: Request, shared: Shared) -> Response:
    """Ask for the phone number that is on file, and the code of the notice."""
    visit = read_visit(request, shared)
    return phone_page(shared, visit, address=OBJECTION, title=_TITLE)


@router.post(OBJECTION)
async def object_by_notice(request: Request, shared: Shared) -> Response:
    """Stop what a notice was about by its code; without one send a code, if the number is anybody's, and go on."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form) or not form.get("notice_code", "").strip():
        return await send(request, shared, visit, form, address=OBJECTION, title=_TITLE, purpose=PURPOSE, onward=CODE)
    now = utc_now()
    subject = subject_of(shared.ring, "objection.address", shared.client_address(request))
    try:
        async with shared.database.transaction() as session:
            await count(session, [(subject, TRIES_PER_ADDRESS)], now=now)
    except TooOften as error:
        return _too_often(shared, visit, error.retry_after_seconds)
    account_id = await _noticed(shared, form.get("phone", ""), form.get("notice_code", ""), now=now)
    if account_id is None:
        return phone_page(shared, visit, address=OBJECTION, title=_TITLE, problem="notice_code_wrong", status=400)
    found = await _stop_all(shared, account_id, now=now)
    return _done(visit, found=found)


@router.get(CODE)
async def show_objection_code(request: Request, shared: Shared) -> Response:
    """Ask for the code."""
    visit = read_visit(request, shared)
    return _code_page(shared, visit)


@router.post(CODE)
async def object_by_code(request: Request, shared: Shared) -> Response:
    """Stop the recovery and the replacement of the phone of the account whose phone got the code, if there are any."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return _code_page(shared, visit, problem="form_expired", status=403)
    verdict = await pages.verdict_on(request, shared, visit, form, purpose=PURPOSE)
    if verdict.account_id is None:
        return _code_page(shared, visit, problem="code_over" if verdict.over else "code_wrong", status=400)
    found = await _stop_all(shared, verdict.account_id, now=utc_now())
    return _done(visit, found=found)


async def _noticed(shared: IdentityShared, typed: str, code: str, *, now: datetime) -> UUID | None:
    """Give whose phone this is when the code is that of a notice about what is under way for its account."""
    phone = normalised_phone(typed)
    if phone is None:
        return None
    given = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", code))
    async with shared.database.read() as session:
        account_id = await account_with(session, shared.ring, phone)
        recovery = select(Recovery.recovery_id).where(
            Recovery.account_id == account_id, Recovery.expires_at > now, RECOVERY_OPEN
        )
        replacement = select(PhoneReplacement.replacement_id).where(
            PhoneReplacement.account_id == account_id, PhoneReplacement.expires_at > now, REPLACEMENT_OPEN
        )
        under_way = (await session.scalars(union_all(recovery, replacement))).all()
    right = [compare_digest(notice_code(shared.ring, each), given) for each in under_way]
    return account_id if any(right) else None


async def _stop_all(shared: IdentityShared, account_id: UUID, *, now: datetime) -> bool:
    """Stop what is under way; say whether anything was."""
    stopped: list[str] = []
    async with shared.database.transaction() as session:
        # In this order: the job that puts a new number on file locks its row first, then the recovery.
        with suppress(ReplacementUnknown):
            await object_to_phone(session, shared.ring, account_id=account_id, replacement_id=None, now=now)
            stopped.append("phone_replacement")
        with suppress(RecoveryUnknown):
            await object_to_recovery(session, account_id=account_id, recovery_id=None, now=now)
            stopped.append("recovery")
    for each in stopped:
        _log.info(f"{each}_objected", extra={"account_id": account_id})
    return bool(stopped)


def _done(visit: Visit, *, found: bool) -> Response:
    return page("objected", language=visit.language, address=OBJECTION, parameters=visit.parameters, found=found)


def _too_often(shared: IdentityShared, visit: Visit, wait: int) -> Response:
    response = phone_page(
        shared, visit, address=OBJECTION, title=_TITLE, problem="objected_too_often", status=429, seconds=wait
    )
    response.headers["Retry-After"] = str(wait)
    return response


def _code_page(shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    again = page_address(OBJECTION, visit.parameters)
    return form_page(
        shared,
        visit,
        "code_answer",
        address=CODE,
        status=status,
        title=_TITLE,
        problem=problem,
        again=again,
        question=None,
    )
