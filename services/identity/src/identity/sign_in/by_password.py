"""Signing in by password on a page: a plain form, which works without script and on any phone."""

import logging

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import utc_now
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import FirstPasswordExpired
from identity.pages.addresses import RECOVERY, SIGN_IN, page_address
from identity.pages.html import page
from identity.pages.requests import read_form
from identity.pages.visits import PageRoute, Visit, is_ours, read_visit
from identity.sessions.browser import person_at
from identity.sessions.sign_ins import record_sign_in_refused
from identity.shared import IdentityShared, Shared
from identity.sign_in.entry import enter, known_browser, sign_in_form
from identity.sign_in.password_guess import prove_by_password
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_BUSY_SECONDS = 30
_log = logging.getLogger(__name__)


@router.get(SIGN_IN)
async def show_sign_in(request: Request, shared: Shared) -> Response:
    """Show the sign-in page, for the client that sent the person here if one did."""
    visit = read_visit(request, shared)
    if "client_id" not in visit.parameters and "next" not in visit.parameters:
        async with shared.database.read() as session:
            person = await person_at(session, visit.session_cookie, now=utc_now())
        if person is not None:
            return page("signed_in", language=visit.language, address=SIGN_IN, parameters=visit.parameters)
    return await _sign_in_page(shared, visit)


@router.post(SIGN_IN)
async def sign_in(request: Request, shared: Shared) -> Response:
    """Check the password; then begin a session and go on to the client, or say on the page what is wrong."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return await _sign_in_page(shared, visit, problem="form_expired", status=403)
    try:
        proven = await prove_by_password(
            shared,
            username=form.get("username", ""),
            password=form.get("password", ""),
            browser=known_browser(request, shared),
            client_address=shared.client_address(request),
            now=utc_now(),
        )
    except FirstPasswordExpired:
        _log.info("first_password_expired")
        return await _sign_in_page(shared, visit, problem="first_password_expired", status=400)
    except TooManySignIns:
        return await _sign_in_page(shared, visit, problem="busy", status=503, seconds=_BUSY_SECONDS)
    except TooOften as error:
        _log.info("sign_in_has_to_wait")
        seconds = error.retry_after_seconds
        return await _sign_in_page(shared, visit, problem="guessed_too_often", status=429, seconds=seconds)
    entered = await enter(request, shared, visit, proven) if proven is not None else None
    if entered is not None:
        return entered
    if proven is not None:  # the password was changed while it was checked
        async with shared.database.transaction() as session:
            await record_sign_in_refused(session, "password", now=utc_now())
    _log.info("sign_in_refused")
    return await _sign_in_page(shared, visit, problem="wrong", status=400)


async def _sign_in_page(
    shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200, seconds: int | None = None
) -> Response:
    ways = [(way.text, page_address(way.page, visit.parameters)) for way in shared.ways_in]
    response = await sign_in_form(
        shared,
        visit,
        "sign_in",
        address=SIGN_IN,
        now=utc_now(),
        status=status,
        problem=problem,
        seconds=seconds,
        ways=ways,
        recovery=page_address(RECOVERY, visit.parameters),
    )
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
