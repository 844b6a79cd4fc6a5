"""Signing in by password on a page: a plain form, which works without script and on any phone."""

import logging

from fastapi import APIRouter
from starlette.responses import Response

from database import utc_now
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import FirstPasswordExpired
from identity.pages.addresses import OWN_ACCOUNT, RECOVERY, SIGN_IN, page_address
from identity.pages.html import page
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visit, Visited, is_ours
from identity.sessions.browser import person_at
from identity.sessions.known_browsers import COOKIE
from identity.sessions.sign_ins import record_sign_in_refused
from identity.sign_in.entry import enter, sign_in_form
from identity.sign_in.password_guess import prove_by_password
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

BUSY = Notice("busy", 503, 30)
_log = logging.getLogger(__name__)


@router.get(SIGN_IN)
async def show_sign_in(visit: Visited) -> Response:
    """Show the sign-in page, for the client that sent the person here if one did."""
    if "client_id" not in visit.parameters and "next" not in visit.parameters:
        async with visit.shared.database.read() as session:
            person = await person_at(session, visit.session_cookie, now=utc_now())
        if person is not None:
            return page("signed_in", language=visit.language, address=SIGN_IN, parameters=visit.parameters)
    return await _page(visit)


@router.post(SIGN_IN)
async def sign_in(visit: Visited, form: Form) -> Response:
    """Check the password; then begin a session and go on to the client, or say on the page what is wrong."""
    if not is_ours(visit, form):
        return await _page(visit, FORM_EXPIRED)
    try:
        proven = await prove_by_password(
            visit.shared,
            username=form.get("username", ""),
            password=form.get("password", ""),
            browser=visit.cookie(COOKIE),
            client_address=visit.client_address,
            now=utc_now(),
        )
    except FirstPasswordExpired:
        _log.info("first_password_expired")
        return await _page(visit, Notice("first_password_expired", 400))
    except TooManySignIns:
        return await _page(visit, BUSY)
    except TooOften as error:
        _log.info("sign_in_has_to_wait")
        return await _page(visit, Notice("guessed_too_often", 429, error.retry_after_seconds))
    entered = await enter(visit, proven) if proven is not None else None
    if entered is not None:
        return entered
    if proven is not None:  # the password was changed while it was checked
        async with visit.shared.database.transaction() as session:
            await record_sign_in_refused(session, "password", now=utc_now())
    _log.info("sign_in_refused")
    return await _page(visit, Notice("wrong", 400))


async def _page(visit: Visit, notice: Notice = NOTHING) -> Response:
    ways = [(way.text, page_address(way.page, visit.parameters)) for way in visit.shared.ways_in]
    recovery = page_address(RECOVERY, visit.parameters)
    own_account = page_address(OWN_ACCOUNT, visit.parameters)
    return await sign_in_form(
        visit, "sign_in", address=SIGN_IN, notice=notice, ways=ways, recovery=recovery, own_account=own_account
    )
