"""The page that asks whether a client of somebody else may have what it asks for. A plain form, no script."""

import logging

from fastapi import APIRouter
from starlette.responses import Response

from database import utc_now
from identity.oauth.authorization import Decision, PageNeeded, Redirect, answer_to, decide_for, may_still_agree
from identity.oauth.consents import grant_consent
from identity.oauth.waiting_requests import answered
from identity.pages.addresses import CONSENT, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visit, Visited, form_page, is_ours
from identity.pages.words import scope_words
from identity.sessions.browser import person_at

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


@router.get(CONSENT)
async def show_consent(visit: Visited) -> Response:
    """Say which client asks for what; nothing is given here, whatever was agreed to before."""
    return await _page(visit)


@router.post(CONSENT)
async def decide_on_consent(visit: Visited, form: Form) -> Response:
    """Keep what the person lets the client have and send the code, or tell the client that it may not."""
    if not is_ours(visit, form):
        return await _page(visit, FORM_EXPIRED)
    now, shared, agreed = utc_now(), visit.shared, form.get("decision") == "approve"
    async with shared.database.transaction() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or not may_still_agree(visit.parameters, person, now=now):
            return _sign_in(visit)
        asked = await decide_for(shared, session, _asking(visit), person, just_now=True, now=now)
        if agreed and isinstance(asked, PageNeeded) and asked.page == CONSENT:
            await grant_consent(
                session, account_id=person.account_id, client_id=asked.client_id, scopes=asked.scopes, now=now
            )
        decision = await decide_for(shared, session, visit.parameters, person, just_now=True, agreed=agreed, now=now)
        if isinstance(decision, Redirect):
            await answered(session, person)
    _log.info("client_let" if agreed else "client_not_let", extra={"account_id": person.account_id})
    return _answer(visit, decision)


async def _page(visit: Visit, notice: Notice = NOTHING) -> Response:
    now, shared = utc_now(), visit.shared
    async with shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or not may_still_agree(visit.parameters, person, now=now):
            return _sign_in(visit)
        decision = await decide_for(shared, session, _asking(visit), person, just_now=True, now=now)
    return _answer(visit, decision, notice)


def _asking(visit: Visit) -> dict[str, str]:
    """Give the request's parameters so that the decision is always to ask: no code is given on the way."""
    return {**visit.parameters, "prompt": "consent"}


def _sign_in(visit: Visit) -> Response:
    return go_to(page_address(SIGN_IN, visit.parameters))


def _answer(visit: Visit, decision: Decision, notice: Notice = NOTHING) -> Response:
    if not isinstance(decision, PageNeeded) or decision.page != CONSENT:
        return answer_to(visit.language, visit.parameters, decision)
    return form_page(
        visit,
        "consent",
        address=CONSENT,
        notice=notice,
        target=decision.target,
        client=decision.client_name(visit.language),
        words=scope_words(decision.scopes, visit.language),
    )
