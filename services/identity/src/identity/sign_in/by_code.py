"""Signing in by a code that comes to the phone: one page for the number, one for the code."""

import logging

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import utc_now
from identity.accounts.phones import normalised_phone, phone_on_file
from identity.challenges import pages
from identity.levels import CODE_AMR, ONE_FACTOR_ACR
from identity.pages.addresses import BY_CODE, CODE, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import read_form
from identity.pages.visits import PageRoute, Visit, is_ours, read_visit
from identity.sessions.browser import Proven
from identity.sessions.sign_ins import record_sign_in_refused
from identity.shared import IdentityShared, Shared
from identity.sign_in.entry import enter, sign_in_form
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PURPOSE = "sign_in"
_log = logging.getLogger(__name__)


@router.get(BY_CODE)
async def show_sign_in_phone(request: Request, shared: Shared) -> Response:
    """Ask for the phone number."""
    visit = read_visit(request, shared)
    return await _phone_page(shared, visit)


@router.post(BY_CODE)
async def send_sign_in_code(request: Request, shared: Shared) -> Response:
    """Send a code, if the number is anybody's, and go on to the page that asks for it in either case."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return await _phone_page(shared, visit, problem="form_expired", status=403)
    phone = normalised_phone(form.get("phone", ""))
    if phone is None:
        return await _phone_page(shared, visit, problem="phone_unusable", status=400)
    try:
        challenge_id = await pages.send_code(request, shared, visit, phone=phone, purpose=PURPOSE)
    except TooOften as error:
        seconds = error.retry_after_seconds
        return await _phone_page(shared, visit, problem="codes_too_often", status=429, seconds=seconds)
    response = go_to(page_address(CODE, visit.parameters))
    pages.keep_challenge(response, shared, challenge_id)
    return response


@router.get(CODE)
async def show_sign_in_code(request: Request, shared: Shared) -> Response:
    """Ask for the code."""
    visit = read_visit(request, shared)
    return await _code_page(shared, visit)


@router.post(CODE)
async def sign_in_by_code(request: Request, shared: Shared) -> Response:
    """Check the code; then begin a session and go on, or say on the page what is wrong."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return await _code_page(shared, visit, problem="form_expired", status=403)
    verdict = await pages.verdict_on(request, shared, visit, form, purpose=PURPOSE)
    entered = None
    if verdict.account_id is not None and verdict.phone is not None:
        by = phone_on_file(shared.ring, verdict.account_id, verdict.phone)
        entered = await enter(request, shared, visit, Proven(verdict.account_id, ONE_FACTOR_ACR, CODE_AMR, by))
    if entered is None:
        _log.info("code_refused")
        async with shared.database.transaction() as session:
            await record_sign_in_refused(session, "code", now=utc_now())
        return await _code_page(shared, visit, problem="code_over" if verdict.over else "code_wrong", status=400)
    return entered


async def _phone_page(
    shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200, seconds: int | None = None
) -> Response:
    response = await sign_in_form(
        shared,
        visit,
        "code_phone",
        address=BY_CODE,
        now=utc_now(),
        status=status,
        problem=problem,
        seconds=seconds,
        title="by_code_title",
        back=page_address(SIGN_IN, visit.parameters),
    )
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


async def _code_page(
    shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200
) -> Response:
    return await sign_in_form(
        shared,
        visit,
        "code_answer",
        address=CODE,
        now=utc_now(),
        status=status,
        problem=problem,
        title="by_code_title",
        again=page_address(BY_CODE, visit.parameters),
        question=None,
    )
