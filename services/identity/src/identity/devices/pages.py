"""The page on which a person types the code of a device, sees what it is, and lets it sign in or not."""

import logging
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import utc_now
from identity.devices import commands, rules
from identity.devices.grants import PAGE
from identity.levels import SignedIn
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to, page
from identity.pages.requests import Parameters, read_form
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.pages.words import scope_words
from identity.sessions.browser import person_at
from identity.shared import IdentityShared, Shared
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


@router.get(PAGE)
async def show_device(request: Request, shared: Shared) -> Response:
    """Ask for the code; one that came in the address is filled in, and sent by a click alone."""
    visit = read_visit(request, shared)
    if await _person(shared, visit, utc_now()) is None:
        return go_to(sign_in_before("device", visit.parameters))
    typed = visit.parameters.get("user_code", "")[: rules.LONGEST_USER_CODE_TYPED]
    return form_page(shared, visit, "device", address=PAGE, typed=typed, problem=None)


@router.post(PAGE)
async def decide_on_device(request: Request, shared: Shared) -> Response:
    """Show which device the code belongs to; then, by another click, let it sign in or refuse it."""
    visit, form = read_visit(request, shared), await read_form(request)
    now = utc_now()
    person = await _person(shared, visit, now)
    if person is None:
        return go_to(sign_in_before("device", visit.parameters))
    if not is_ours(visit, form):
        return _again(shared, visit, problem="device_form_expired", status=403)
    too_often = await _counted(request, shared, visit, person, now)
    return too_often or await _typed(shared, visit, form, person, now)


async def _counted(
    request: Request, shared: IdentityShared, visit: Visit, person: SignedIn, now: datetime
) -> Response | None:
    """Count a code that somebody typed; gives the refusal when it was one too many."""
    try:
        async with shared.database.transaction() as session:
            await commands.count_typed(
                session, shared.ring, person=person, address=shared.client_address(request), now=now
            )
    except TooOften as error:
        _log.info("device_codes_typed_too_often", extra={"session_id": person.session_id})
        refusal = _again(shared, visit, problem="device_too_often", status=429)
        refusal.headers["Retry-After"] = str(error.retry_after_seconds)
        return refusal
    return None


async def _typed(shared: IdentityShared, visit: Visit, form: Parameters, person: SignedIn, now: datetime) -> Response:
    user_code = rules.normalised_user_code(form.get("user_code", ""))
    if user_code is None:
        return _again(shared, visit, problem="device_wrong", status=400)
    if "decision" in form:
        return await _decided(shared, visit, person, user_code, approved=form["decision"] == "approve", now=now)
    return await _asked(shared, visit, user_code, now)


async def _asked(shared: IdentityShared, visit: Visit, user_code: str, now: datetime) -> Response:
    async with shared.database.read() as session:
        device = await commands.waiting_device(session, shared.ring, user_code, now=now)
    if device is None:
        return _again(shared, visit, problem="device_wrong", status=400)
    return form_page(
        shared,
        visit,
        "device_confirm",
        address=PAGE,
        client=device.name_en if visit.language == "en" else device.name_zh,
        place=device.place,
        shown=rules.shown(user_code),
        words=scope_words(device.scopes, visit.language),
    )


async def _decided(
    shared: IdentityShared, visit: Visit, person: SignedIn, user_code: str, *, approved: bool, now: datetime
) -> Response:
    async with shared.database.transaction() as session:
        waited = (
            await commands.approve_device(session, shared.ring, user_code, person=person, now=now)
            if approved
            else await commands.deny_device(session, shared.ring, user_code, person=person, now=now)
        )
    if not waited:
        return _again(shared, visit, problem="device_wrong", status=400)
    _log.info("device_approved" if approved else "device_denied", extra={"account_id": person.account_id})
    return page("device_done", language=visit.language, address=PAGE, parameters={}, approved=approved)


def _again(shared: IdentityShared, visit: Visit, *, problem: str, status: int) -> Response:
    return form_page(shared, visit, "device", address=PAGE, status=status, typed="", problem=problem)


async def _person(shared: IdentityShared, visit: Visit, now: datetime) -> SignedIn | None:
    async with shared.database.read() as session:
        return await person_at(session, visit.session_cookie, now=now)
