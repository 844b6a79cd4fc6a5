"""The pages on which an owner stops the recovery of the account, or its new phone, by a code to the phone on file.

It is the code of the notice, or one that is sent: strangers can use up those that are sent, never that of the notice.
"""

import logging
from contextlib import suppress
from datetime import datetime
from hmac import compare_digest
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import select, union_all
from starlette.responses import Response

from database import utc_now
from identity.accounts.phones import account_with, normalised_phone
from identity.pages.html import page
from identity.pages.visits import Form, Notice, PageRoute, Visit, Visited, is_ours
from identity.phone_replacement.commands import object_to_phone
from identity.phone_replacement.lapses import OPEN as REPLACEMENT_OPEN
from identity.phone_replacement.rules import ReplacementUnknown
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.commands import OPEN as RECOVERY_OPEN
from identity.recovery.commands import object_to_recovery
from identity.recovery.notice_codes import TRIES_PER_ADDRESS, notice_code
from identity.recovery.pages import OBJECTION
from identity.recovery.rules import RecoveryUnknown
from identity.recovery.tables import Recovery
from identity.shared import IdentityShared
from identity.sign_in.code_pages import CodePages
from identity.throttling.addresses import counted_at
from identity.throttling.rates import TooOften, count
from webapi.normal_forms import bare_number

router = APIRouter(include_in_schema=False, route_class=PageRoute)

CODE = "/sign-in/objection/code"
_PAGES = CodePages("recovery_objection", "objection_title", phone=OBJECTION, code=CODE, notice_code=True)
_log = logging.getLogger(__name__)

router.get(OBJECTION, name="show_objection")(_PAGES.ask_phone)
router.get(CODE, name="show_objection_code")(_PAGES.ask_code)


@router.post(OBJECTION)
async def object_by_notice(visit: Visited, form: Form) -> Response:
    """Stop what a notice was about by its code; without one send a code, if the number is anybody's, and go on."""
    if not is_ours(visit, form) or not form.get("notice_code", "").strip():
        return await _PAGES.send_code(visit, form)
    now, shared = utc_now(), visit.shared
    here = counted_at(shared.ring, "objection", visit.client_address, TRIES_PER_ADDRESS)
    try:
        async with shared.database.transaction() as session:
            await count(session, here, now=now)
    except TooOften as error:
        return await _PAGES.phone_page(visit, Notice("objected_too_often", 429, error.retry_after_seconds))
    account_id = await _noticed(shared, form.get("phone", ""), form.get("notice_code", ""), now=now)
    if account_id is None:
        return await _PAGES.phone_page(visit, Notice("notice_code_wrong", 400))
    return await _stop_all(visit, account_id, now=now)


@router.post(CODE)
async def object_by_code(visit: Visited, form: Form) -> Response:
    """Stop the recovery and the replacement of the phone of the account whose phone got the code, if there are any."""
    verdict = await _PAGES.verdict_on(visit, form)
    if isinstance(verdict, Response):
        return verdict
    if verdict.account_id is None:
        return await _PAGES.refuse(visit, verdict)
    return await _stop_all(visit, verdict.account_id, now=utc_now())


async def _noticed(shared: IdentityShared, typed: str, code: str, *, now: datetime) -> UUID | None:
    """Give whose phone this is when the code is that of a notice about what is under way for its account."""
    phone = normalised_phone(typed)
    if phone is None:
        return None
    given = bare_number(code).encode()
    async with shared.database.read() as session:
        account_id = await account_with(session, shared.ring, phone)
        recovery = select(Recovery.recovery_id).where(
            Recovery.account_id == account_id, Recovery.expires_at > now, RECOVERY_OPEN
        )
        replacement = select(PhoneReplacement.replacement_id).where(
            PhoneReplacement.account_id == account_id, PhoneReplacement.expires_at > now, REPLACEMENT_OPEN
        )
        under_way = (await session.scalars(union_all(recovery, replacement))).all()
    right = [compare_digest(notice_code(shared.ring, each).encode(), given) for each in under_way]
    return account_id if any(right) else None


async def _stop_all(visit: Visit, account_id: UUID, *, now: datetime) -> Response:
    """Stop what is under way, and say on a page whether anything was."""
    shared, language = visit.shared, visit.language
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
    return page("objected", language=language, address=OBJECTION, parameters=visit.parameters, found=bool(stopped))
