"""From "they proved who they are" to where they wanted to go: the session, the second factor, the client."""

import logging
from datetime import datetime

from fastapi import Request
from starlette.responses import Response

from database import new_id, utc_now
from identity.factors.required import next_step
from identity.levels import SignedIn, wanted_level
from identity.oauth.authorization import (
    Decision,
    Redirect,
    Refused,
    SignInNeeded,
    answer_to,
    decide_for,
    may_still_agree,
)
from identity.oauth.waiting_requests import answered, keep_waiting
from identity.pages.addresses import SIGN_IN, page_address
from identity.pages.destinations import onward
from identity.pages.html import go_to
from identity.pages.visits import Visit, cookie_name, form_page, set_cookie
from identity.sessions.browser import Proven, begin_session
from identity.sessions.devices import device_of
from identity.sessions.known_browsers import COOKIE, KNOWN_FOR, remember
from identity.shared import IdentityShared

_log = logging.getLogger(__name__)


def known_browser(request: Request, shared: IdentityShared) -> str | None:
    """Give the cookie of a browser on which somebody signed in before."""
    return request.cookies.get(cookie_name(COOKIE, secure=shared.secure))


async def enter(request: Request, shared: IdentityShared, visit: Visit, proven: Proven) -> Response | None:
    """Begin a session, and go on to the second factor, to the client, or to the page that says one is signed in.

    None when what was proved by is no longer the account's.
    """
    now = utc_now()
    decision: Decision | None = None
    async with shared.database.transaction() as session:
        begun = await begin_session(
            session,
            proven,
            session_id=new_id(),
            replacing=visit.session_cookie,
            now=now,
            device=device_of(request.headers.get("user-agent")),
        )
        if begun is None:
            return None
        person, cookie = begun
        browser = await remember(session, known_browser(request, shared), proven.account_id, now=now)
        if "client_id" in visit.parameters:
            decision = await decide_for(shared, session, visit.parameters, person, just_now=True, now=now)
            if not isinstance(decision, Redirect | Refused):
                await keep_waiting(session, person, visit.parameters)
        step = None if decision is not None else await next_step(session, person, None)
    _log.info("signed_in", extra={"account_id": person.account_id, "session_id": person.session_id})
    if decision is not None:
        response = answer_to(visit.language, visit.parameters, decision)
    elif step is not None:
        response = go_to(page_address(step.page, visit.parameters))
    else:
        response = go_to(onward(visit.parameters) or SIGN_IN)
    set_cookie(response, shared, "session", cookie)
    set_cookie(response, shared, COOKIE, browser, max_age=int(KNOWN_FOR.total_seconds()))
    return response


def is_for(visit: Visit, person: SignedIn, *, now: datetime) -> bool:
    """Say whether the person signed in for the request that waits, or that asks for no new sign-in."""
    return "client_id" not in visit.parameters or may_still_agree(visit.parameters, person, now=now)


async def go_on(shared: IdentityShared, visit: Visit, person: SignedIn, *, now: datetime, just_now: bool) -> Response:
    """Answer the request that waited for what the person has proved; `just_now`, they did so in answer to it."""
    if "client_id" in visit.parameters:
        async with shared.database.transaction() as session:
            decision = await decide_for(shared, session, visit.parameters, person, just_now=just_now, now=now)
            if isinstance(decision, Redirect):
                await answered(session, person)
        return answer_to(visit.language, visit.parameters, decision)
    async with shared.database.read() as session:
        step = await next_step(session, person, wanted_level(visit.parameters.get("acr_values")))
    if step is not None and step.reachable:
        return go_to(page_address(step.page, visit.parameters))
    return go_to(onward(visit.parameters) or SIGN_IN)


async def sign_in_form(
    shared: IdentityShared,
    visit: Visit,
    template: str,
    *,
    address: str,
    now: datetime,
    status: int = 200,
    **values: object,
) -> Response:
    """Render a page of the sign-in, for the client that sent the person here if one did.

    The template gets `client`, that client's name or None. A request that no page can help is answered instead.
    """
    needed: SignInNeeded | None = None
    if "client_id" in visit.parameters:
        async with shared.database.read() as session:
            decision = await decide_for(shared, session, visit.parameters, None, just_now=False, now=now)
        if not isinstance(decision, SignInNeeded):
            return answer_to(visit.language, visit.parameters, decision)
        needed = decision
    client = None if needed is None else needed.name_en if visit.language == "en" else needed.name_zh
    target = None if needed is None else needed.target
    return form_page(shared, visit, template, address=address, status=status, target=target, client=client, **values)
