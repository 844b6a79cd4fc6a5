"""The page that asks whether a client of somebody else may have what it asks for. A plain form, no script."""

import logging

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import utc_now
from identity.oauth.authorization import ConsentNeeded, Decision, Redirect, answer_to, decide_for, may_still_agree
from identity.oauth.consents import grant_consent
from identity.oauth.waiting_requests import answered
from identity.pages.addresses import CONSENT, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import read_form
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.pages.words import scope_words
from identity.sessions.browser import person_at
from identity.shared import IdentityShared, Shared

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


@router.get(CONSENT)
async def show_consent(request: Request, shared: Shared) -> Response:
    """Say which client asks for what; nothing is given here, whatever was agreed to before."""
    visit = read_visit(request, shared)
    return await _page(shared, visit)


@router.post(CONSENT)
async def decide_on_consent(request: Request, shared: Shared) -> Response:
    """Keep what the person lets the client have and send the code, or tell the client that it may not."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return await _page(shared, visit, status=403)
    now, agreed = utc_now(), form.get("decision") == "approve"
    async with shared.database.transaction() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or not may_still_agree(visit.parameters, person, now=now):
            return _sign_in(visit)
        asked = await decide_for(shared, session, _asking(visit), person, just_now=True, now=now)
        if agreed and isinstance(asked, ConsentNeeded):
            await grant_consent(
                session, account_id=person.account_id, client_id=asked.client_id, scopes=asked.scopes, now=now
            )
        decision = await decide_for(shared, session, visit.parameters, person, just_now=True, agreed=agreed, now=now)
        if isinstance(decision, Redirect):
            await answered(session, person)
    _log.info("client_let" if agreed else "client_not_let", extra={"account_id": person.account_id})
    return _answer(shared, visit, decision, status=200)


async def _page(shared: IdentityShared, visit: Visit, *, status: int = 200) -> Response:
    now = utc_now()
    async with shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or not may_still_agree(visit.parameters, person, now=now):
            return _sign_in(visit)
        decision = await decide_for(shared, session, _asking(visit), person, just_now=True, now=now)
    return _answer(shared, visit, decision, status=status)


def _asking(visit: Visit) -> dict[str, str]:
    """Give the request's parameters so that the decision is always to ask: no code is given on the way."""
    return {**visit.parameters, "prompt": "consent"}


def _sign_in(visit: Visit) -> Response:
    return go_to(page_address(SIGN_IN, visit.parameters))


def _answer(shared: IdentityShared, visit: Visit, decision: Decision, *, status: int) -> Response:
    if not isinstance(decision, ConsentNeeded):
        return answer_to(visit.language, visit.parameters, decision)
    return form_page(
        shared,
        visit,
        "consent",
        address=CONSENT,
        status=status,
        target=decision.target,
        client=decision.name_en if visit.language == "en" else decision.name_zh,
        words=scope_words(decision.scopes, visit.language),
    )
