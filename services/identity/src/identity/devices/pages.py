"""The page on which a person types the code of a device, sees what it is, and lets it sign in or not."""

import logging
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from database import utc_now
from identity.devices import commands, rules
from identity.devices.grants import PAGE
from identity.levels import SignedIn
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to, page
from identity.pages.requests import Parameters
from identity.pages.visits import Form, Notice, PageRoute, Visit, Visited, form_page, is_ours
from identity.pages.words import scope_words
from identity.sessions.browser import person_at
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


@router.get(PAGE)
async def show_device(visit: Visited) -> Response:
    """Ask for the code; one that came in the address is filled in, and sent by a click alone."""
    if await _person(visit, utc_now()) is None:
        return go_to(sign_in_before("device", visit.parameters))
    typed = visit.parameters.get("user_code", "")[: rules.LONGEST_USER_CODE_TYPED]
    return form_page(visit, "device", address=PAGE, typed=typed)


@router.post(PAGE)
async def decide_on_device(visit: Visited, form: Form) -> Response:
    """Show which device the code belongs to; then, by another click, let it sign in or refuse it."""
    now = utc_now()
    person = await _person(visit, now)
    if person is None:
        return go_to(sign_in_before("device", visit.parameters))
    if not is_ours(visit, form):
        return _again(visit, Notice("device_form_expired", 403))
    return await _too_often(visit, person, now) or await _typed(visit, form, person, now)


async def _too_often(visit: Visit, person: SignedIn, now: datetime) -> Response | None:
    """Count a code that somebody typed; gives the refusal when it was one too many."""
    try:
        async with visit.shared.database.transaction() as session:
            address = visit.client_address
            await commands.count_typed(session, visit.shared.ring, person=person, address=address, now=now)
    except TooOften as error:
        _log.info("device_codes_typed_too_often", extra={"session_id": person.session_id})
        return _again(visit, Notice("device_too_often", 429, error.retry_after_seconds))
    return None


async def _typed(visit: Visit, form: Parameters, person: SignedIn, now: datetime) -> Response:
    user_code = rules.normalised_user_code(form.get("user_code", ""))
    if user_code is None:
        return _again(visit, Notice("device_wrong", 400))
    if "decision" in form:
        return await _decided(visit, person, user_code, approved=form["decision"] == "approve", now=now)
    return await _asked(visit, user_code, now)


async def _asked(visit: Visit, user_code: str, now: datetime) -> Response:
    async with visit.shared.database.read() as session:
        device = await commands.waiting_device(session, visit.shared.ring, user_code, now=now)
    if device is None:
        return _again(visit, Notice("device_wrong", 400))
    return form_page(
        visit,
        "device_confirm",
        address=PAGE,
        client=device.name_en if visit.language == "en" else device.name_zh,
        place=device.place,
        shown=rules.shown(user_code),
        words=scope_words(device.scopes, visit.language),
    )


async def _decided(visit: Visit, person: SignedIn, user_code: str, *, approved: bool, now: datetime) -> Response:
    decide = commands.approve_device if approved else commands.deny_device
    async with visit.shared.database.transaction() as session:
        waited = await decide(session, visit.shared.ring, user_code, person=person, now=now)
    if not waited:
        return _again(visit, Notice("device_wrong", 400))
    _log.info("device_approved" if approved else "device_denied", extra={"account_id": person.account_id})
    return page("device_done", language=visit.language, address=PAGE, parameters={}, approved=approved)


def _again(visit: Visit, notice: Notice) -> Response:
    return form_page(visit, "device", address=PAGE, notice=notice, typed="")


async def _person(visit: Visit, now: datetime) -> SignedIn | None:
    async with visit.shared.database.read() as session:
        return await person_at(session, visit.session_cookie, now=now)
