"""From "they proved who they are" to where they wanted to go: the session, the second factor, the client."""

import logging
from datetime import datetime
from typing import NamedTuple

from starlette.responses import Response

from database import new_id, utc_now
from identity.factors.required import Step, next_step
from identity.levels import SignedIn, wanted_level
from identity.oauth.authorization import (
    Decision,
    PageNeeded,
    Redirect,
    Refused,
    answer_to,
    decide_for,
    may_still_agree,
)
from identity.oauth.waiting_requests import answered, keep_waiting
from identity.pages.addresses import SIGN_IN, page_address
from identity.pages.destinations import onward
from identity.pages.html import go_to
from identity.pages.visits import NOTHING, Notice, Visit, form_page, set_cookie
from identity.sessions.browser import Proven, begin_session, person_beginning_at
from identity.sessions.devices import device_of
from identity.sessions.known_browsers import COOKIE, KNOWN_FOR, remember

_log = logging.getLogger(__name__)


async def enter(visit: Visit, proven: Proven) -> Response | None:
    """Begin a session, and go on to the second factor, to the client, or to the page that says one is signed in.

    None when what was proved by is no longer the account's.
    """
    now, shared = utc_now(), visit.shared
    decision: Decision | None = None
    async with shared.database.transaction() as session:
        begun = await begin_session(
            session,
            proven,
            session_id=new_id(),
            replacing=visit.session_cookie,
            now=now,
            device=device_of(visit.request.headers.get("user-agent")),
        )
        if begun is None:
            return None
        person, cookie = begun
        browser = await remember(session, visit.cookie(COOKIE), proven.account_id, amr=proven.amr, now=now)
        if "client_id" in visit.parameters:
            decision = await decide_for(shared, session, visit.parameters, person, just_now=True, now=now)
            if not isinstance(decision, Redirect | Refused):
                await keep_waiting(session, person, visit.parameters)
        step = None if decision is not None else await next_step(session, person, None, now=now)
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


class Asked(NamedTuple):
    """Who is to prove what, and the request that waits for it."""

    visit: Visit
    person: SignedIn
    step: Step


async def asked_on(page: str, visit: Visit, *, now: datetime) -> Asked | Response:
    """Find who is to prove what on `page`; gives the answer itself when nobody is, or not at this browser."""
    async with visit.shared.database.read() as session:
        person = await person_beginning_at(session, visit.session_cookie, now=now)
        waits = "client_id" in visit.parameters
        if person is None or (waits and not may_still_agree(visit.parameters, person, now=now)):
            return go_to(page_address(SIGN_IN, visit.parameters))
        step = await next_step(session, person, wanted_level(visit.parameters.get("acr_values")), now=now)
    if step is None or not step.reachable or step.page != page:
        return await go_on(visit, person, now=now, just_now=False)
    return Asked(visit, person, step)


async def go_on(visit: Visit, person: SignedIn, *, now: datetime, just_now: bool) -> Response:
    """Answer the request that waited for what the person has proved; `just_now`, they did so in answer to it."""
    shared = visit.shared
    if "client_id" in visit.parameters:
        async with shared.database.transaction() as session:
            decision = await decide_for(shared, session, visit.parameters, person, just_now=just_now, now=now)
            if isinstance(decision, Redirect):
                await answered(session, person)
        return answer_to(visit.language, visit.parameters, decision)
    async with shared.database.read() as session:
        step = await next_step(session, person, wanted_level(visit.parameters.get("acr_values")), now=now)
    if step is not None and step.reachable:
        return go_to(page_address(step.page, visit.parameters))
    return go_to(onward(visit.parameters) or SIGN_IN)


async def sign_in_form(
    visit: Visit, template: str, *, address: str, notice: Notice = NOTHING, **values: object
) -> Response:
    """Render a page of the sign-in, for the client that sent the person here if one did.

    The template gets `client`, that client's name or None. A request that no page can help is answered instead.
    """
    client, target, shared = None, None, visit.shared
    if "client_id" in visit.parameters:
        async with shared.database.read() as session:
            needed = await decide_for(shared, session, visit.parameters, None, just_now=False, now=utc_now())
        if not isinstance(needed, PageNeeded) or needed.page != SIGN_IN:
            return answer_to(visit.language, visit.parameters, needed)
        client, target = needed.client_name(visit.language), needed.target
    return form_page(visit, template, address=address, notice=notice, target=target, client=client, **values)
