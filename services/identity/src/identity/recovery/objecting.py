"""The pages on which an owner stops the recovery of the account, or its new phone, by a code to the phone on file."""

import logging
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import utc_now
from identity.challenges import pages
from identity.oauth.requests import read_form
from identity.pages.rendering import page
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.parts import IdentityParts, Parts
from identity.phone_replacement.commands import object_to_phone
from identity.phone_replacement.rules import ReplacementUnknown
from identity.recovery.commands import object_to_recovery
from identity.recovery.pages import OBJECTION, phone_page, send
from identity.recovery.rules import RecoveryUnknown
from identity.sign_in.ways import page_address

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PURPOSE = "recovery_objection"
CODE = "/sign-in/objection/code"
_TITLE = "objection_title"
_log = logging.getLogger(__name__)


@router.get(OBJECTION)
async def show_objection(request: Request, parts: Parts) -> Response:
    """Ask for the phone number that is on file."""
    visit = read_visit(request, parts)
    return phone_page(parts, visit, address=OBJECTION, title=_TITLE)


@router.post(OBJECTION)
async def send_objection_code(request: Request, parts: Parts) -> Response:
    """Send a code, if the number is anybody's, and go on in either case."""
    return await send(request, parts, address=OBJECTION, title=_TITLE, purpose=PURPOSE, onward=CODE)


@router.get(CODE)
async def show_objection_code(request: Request, parts: Parts) -> Response:
    """Ask for the code."""
    visit = read_visit(request, parts)
    return _code_page(parts, visit)


@router.post(CODE)
async def object_by_code(request: Request, parts: Parts) -> Response:
    """Stop the recovery and the replacement of the phone of the account whose phone got the code, if there are any."""
    visit, form = read_visit(request, parts), await read_form(request)
    if not is_ours(visit, form):
        return _code_page(parts, visit, problem="form_expired", status=403)
    verdict = await pages.verdict_on(request, parts, visit, form, purpose=PURPOSE)
    if verdict.account_id is None:
        return _code_page(parts, visit, problem="code_over" if verdict.over else "code_wrong", status=400)
    found = await _stop_all(parts, verdict.account_id, now=utc_now())
    return page("objected", language=visit.language, address=OBJECTION, parameters=visit.parameters, found=found)


async def _stop_all(parts: IdentityParts, account_id: UUID, *, now: datetime) -> bool:
    """Stop what is under way; say whether anything was."""
    stopped: list[str] = []
    async with parts.database.transaction() as session:
        with suppress(RecoveryUnknown):
            await object_to_recovery(session, account_id=account_id, recovery_id=None, now=now)
            stopped.append("recovery")
        with suppress(ReplacementUnknown):
            await object_to_phone(session, account_id=account_id, replacement_id=None, now=now)
            stopped.append("phone_replacement")
    for each in stopped:
        _log.info(f"{each}_objected", extra={"account_id": account_id})
    return bool(stopped)


def _code_page(parts: IdentityParts, visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    again = page_address(OBJECTION, visit.parameters)
    return form_page(
        parts,
        visit,
        "code_answer",
        address=CODE,
        status=status,
        title=_TITLE,
        problem=problem,
        again=again,
        question=None,
    )
