"""The way to WeChat and back: a browser is sent there with a `state` of its own, and what it brings is checked."""

import logging
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.responses import Response

import audit
from database import new_id, utc_now
from identity.factors.ownership import Owner, is_owner_now
from identity.factors.wechat import commands
from identity.factors.wechat.commands import Returned, WechatTaken
from identity.levels import SignedIn, acr_of
from identity.pages.addresses import SECURITY, SIGN_IN, WECHAT, WECHAT_START, page_address
from identity.pages.html import go_to, page
from identity.pages.visits import FORM_LIFETIME, Form, PageRoute, Visit, Visited, is_ours, set_cookie
from identity.purposes.commands import give_consent
from identity.purposes.rules import PURPOSES, TextChanged
from identity.secrets import new_secret
from identity.sessions.browser import Proven, person_at
from identity.sign_in.entry import enter
from identity.throttling.addresses import counted_at
from identity.throttling.rates import TooOften, count
from identity.throttling.rules import Limit
from identity.wechat import WechatCodeRefused, WechatSubject, WechatUnavailable

router = APIRouter(include_in_schema=False, route_class=PageRoute)

AMR = ("wechat",)
PER_ADDRESS = Limit(600, timedelta(hours=1))
"""Visits an address may begin; a whole village may stand behind one."""
_TEXT = "text_version"
_LONGEST = 512
_log = logging.getLogger(__name__)


@router.get(WECHAT_START)
async def start_sign_in(visit: Visited) -> Response:
    """Send the browser to WeChat, to come back signed in."""
    return await _send(visit, "sign_in", None)


@router.post(WECHAT_START)
async def start_linking(visit: Visited, form: Form) -> Response:
    """Send the browser to WeChat, to come back with an account to link; only from our page, and signed in just now."""
    now = utc_now()
    async with visit.shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        fresh = person is not None and await is_owner_now(session, person, now=now)
    agreed = form.get(_TEXT) == str(PURPOSES[commands.CONSENT].version)
    if person is None or not fresh or not is_ours(visit, form) or not agreed:
        return go_to(SECURITY)
    return await _send(visit._replace(parameters={_TEXT: form[_TEXT]}), "link", person)


@router.get(WECHAT)
async def come_back(visit: Visited) -> Response:
    """Take a browser back: its `state` must be ours and its own, and its code must be good at WeChat."""
    wechat, now = visit.shared.wechat, utc_now()
    state, code = visit.parameters.get("state", ""), visit.parameters.get("code", "")
    if wechat is None or not state or len(state) > _LONGEST or len(code) > _LONGEST:
        return _refused(visit, "wechat_refused", 400)
    async with visit.shared.database.transaction() as session:
        returned = await commands.end_visit(session, state=state, form_cookie=visit.form_cookie, now=now)
    if returned is None:
        _log.info("wechat_state_refused")
        return _refused(visit, "wechat_refused", 400)
    visit = visit._replace(parameters=returned.parameters)
    try:
        subject = await wechat.subject_of(code)
    except WechatCodeRefused:
        _log.info("wechat_code_refused")
        return _refused(visit, "wechat_refused", 400)
    except WechatUnavailable as error:
        _log.warning("wechat_unavailable", extra={"reason": str(error)})
        return _refused(visit, "wechat_away", 503)
    if returned.purpose == "link":
        return await _link(visit, returned, subject, app_id=wechat.app_id, now=now)
    async with visit.shared.database.transaction() as session:
        ring, app_id = visit.shared.ring, wechat.app_id
        linked = await commands.account_linked_to(session, ring, subject, app_id=app_id, now=now)
    entered = None
    if linked is not None:
        entered = await enter(visit, Proven(linked.account_id, acr_of(AMR), AMR, commands.lasting_link(linked)))
    return entered or _refused(visit, "wechat_unlinked", 403)


async def _send(visit: Visit, purpose: commands.Purpose, person: SignedIn | None) -> Response:
    shared, form_cookie, now = visit.shared, visit.form_cookie or new_secret(), utc_now()
    if shared.wechat is None:
        return _refused(visit, "wechat_away", 503)
    try:
        async with shared.database.transaction() as session:
            await count(session, counted_at(shared.ring, "wechat", visit.client_address, PER_ADDRESS), now=now)
            state = await commands.begin_visit(
                session,
                purpose=purpose,
                form_cookie=form_cookie,
                session_id=person.session_id if person else None,
                parameters=visit.parameters,
                now=now,
            )
    except TooOften as error:
        response: Response = _refused(visit, "wechat_away", 429)
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    address = shared.wechat.address_for(redirect_uri=f"{shared.parties.issuer}{WECHAT}", state=state)
    response = go_to(address)
    set_cookie(response, shared, "form", form_cookie, max_age=FORM_LIFETIME)
    return response


async def _link(visit: Visit, returned: Returned, subject: WechatSubject, *, app_id: str, now: datetime) -> Response:
    """Link what came back to the account of the session that went, if it is still here and its proof still fresh.

    That its owner agreed to the text on the page they went from is kept with the link.
    """
    shared = visit.shared
    try:
        async with shared.database.transaction() as session:
            person = await person_at(session, visit.session_cookie, now=now)
            if person is None or person.session_id != returned.session_id:
                return _refused(visit, "wechat_refused", 400)
            if not await is_owner_now(session, person, now=now):
                return go_to(SECURITY)
            owner = Owner(person.account_id, visit.language)
            await commands.link(session, shared.ring, owner, subject, app_id=app_id, new_id=new_id, now=now)
            await give_consent(
                session,
                by=audit.Actor(person.account_id),
                purpose=commands.CONSENT,
                text_version=int(returned.parameters.get(_TEXT, "0")),
                new_id=new_id,
                now=now,
            )
    except TextChanged:
        return go_to(SECURITY)
    except WechatTaken:
        return _refused(visit, "wechat_taken", 409)
    return go_to(SECURITY)


def _refused(visit: Visit, reason: str, status: int) -> Response:
    """Say why it did not work, and lead back to the other ways; the address that came back is not repeated."""
    kept = {name: value for name, value in visit.parameters.items() if name not in {"code", "state"}}
    kept = visit.parameters if "client_id" in visit.parameters else kept
    return page(
        "wechat_refused",
        language=visit.language,
        address=SIGN_IN,
        parameters=kept,
        status=status,
        reason=reason,
        sign_in=page_address(SIGN_IN, kept),
    )
