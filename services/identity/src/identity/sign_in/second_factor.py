"""The page that asks for a second factor: a code of the app or the phone, a recovery code, the password, a passkey."""

import logging
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import new_id, utc_now
from identity.accounts.credentials import username_of
from identity.accounts.phones import phone_of
from identity.challenges.commands import answer, issue
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import FirstPasswordExpired
from identity.factors.required import Step, next_step
from identity.factors.totp.commands import prove_by_recovery_code, prove_by_totp
from identity.levels import SignedIn, wanted_level
from identity.pages.addresses import PASSKEY, SECOND_FACTOR, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import Parameters, read_form
from identity.pages.visits import PageRoute, Visit, is_ours, read_visit, set_cookie
from identity.sessions.browser import Proven, person_beginning_at, raise_session, still_proves
from identity.shared import IdentityShared, Shared
from identity.sign_in.entry import go_on, is_for, known_browser, sign_in_form
from identity.sign_in.password_guess import prove_by_password
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

SMS_PURPOSE = "second_factor"
_RECOVERY_CODE_LENGTH = 16
_BUSY_SECONDS = 30
_log = logging.getLogger(__name__)


class _Asked(NamedTuple):
    """Who is to prove what, and the request that waits for it."""

    visit: Visit
    person: SignedIn
    step: Step


class _Tried(NamedTuple):
    """What a try came to: the ways it proved (none when it was wrong), by which password, or the challenge sent."""

    ways: tuple[str, ...] = ()
    challenge: UUID | None = None
    password: Proven | None = None


@router.get(SECOND_FACTOR)
async def show_second_factor(request: Request, shared: Shared) -> Response:
    """Ask for what is missing; when nothing is, go on to where the person wanted to go."""
    visit = read_visit(request, shared)
    asked = await _asked(shared, visit, now=utc_now())
    return asked if isinstance(asked, Response) else await _page(shared, asked)


@router.post(SECOND_FACTOR)
async def give_second_factor(request: Request, shared: Shared) -> Response:
    """Check what was given; then let the session count for more and go on, or say on the page what is wrong."""
    visit, form = read_visit(request, shared), await read_form(request)
    now = utc_now()
    asked = await _asked(shared, visit, now=now)
    if isinstance(asked, Response):
        return asked
    if not is_ours(visit, form):
        return await _page(shared, asked, problem="form_expired", status=403)
    try:
        tried = await _try(request, shared, asked, form, now=now)
    except TooOften as error:
        _log.info("second_factor_has_to_wait", extra={"account_id": asked.person.account_id})
        return await _page(shared, asked, problem="factor_wait", status=429, seconds=error.retry_after_seconds)
    except FirstPasswordExpired:
        return await _page(shared, asked, problem="first_password_expired", status=400)
    except TooManySignIns:
        return await _page(shared, asked, problem="busy", status=503, seconds=_BUSY_SECONDS)
    return await _after(shared, asked, form, tried, now=now)


async def _asked(shared: IdentityShared, visit: Visit, *, now: datetime) -> _Asked | Response:
    """Find who is to prove what; gives the answer itself when nobody is here, or nothing is missing or can be had."""
    async with shared.database.read() as session:
        person = await person_beginning_at(session, visit.session_cookie, now=now)
        if person is None or not is_for(visit, person, now=now):
            return go_to(page_address(SIGN_IN, visit.parameters))
        step = await next_step(session, person, wanted_level(visit.parameters.get("acr_values")))
    if step is None or not step.reachable or step.page != SECOND_FACTOR:
        return await go_on(shared, visit, person, now=now, just_now=False)
    return _Asked(visit, person, step)


async def _after(shared: IdentityShared, asked: _Asked, form: Parameters, tried: _Tried, *, now: datetime) -> Response:
    visit, account = asked.visit, {"account_id": asked.person.account_id}
    if tried.challenge is not None:
        return await _page(shared, asked, challenge=tried.challenge)
    if not tried.ways:
        _log.info("second_factor_refused", extra=account)
        return await _page(shared, asked, problem="factor_wrong", status=400, challenge=_challenge_of(form))
    async with shared.database.transaction() as session:
        changed = tried.password is not None and await still_proves(session, tried.password) is None
        raised = None if changed else await raise_session(session, asked.person, *tried.ways, now=now)
    if raised is None:
        return go_to(page_address(SIGN_IN, visit.parameters))
    person, cookie = raised
    _log.info("second_factor_given", extra=account)
    response = await go_on(shared, visit, person, now=now, just_now=True)
    set_cookie(response, shared, "session", cookie)
    return response


async def _try(request: Request, shared: IdentityShared, asked: _Asked, form: Parameters, *, now: datetime) -> _Tried:
    """Try what the form holds, if it is one of the ways that will do. Raises as `prove_by_password`."""
    person, ways = asked.person, asked.step.ways
    way, code = form.get("way", ""), form.get("code", "")
    if way == "app" and "totp" in ways:
        return await _try_app(shared, person, code, may_recover="recovery_code" in ways, now=now)
    if way == "send" and "sms" in ways:
        return await _send_code(request, shared, asked, now=now)
    challenge = _challenge_of(form)
    if way == "sms" and "sms" in ways and challenge is not None:
        return await _try_sms(shared, asked, challenge, code, now=now)
    if way == "password" and "password" in ways:
        return await _try_password(request, shared, person, form.get("password", ""), now=now)
    return _Tried()


async def _try_app(shared: IdentityShared, person: SignedIn, code: str, *, may_recover: bool, now: datetime) -> _Tried:
    letters = "".join(character for character in code if character.isalnum())
    recovering = may_recover and len(letters) == _RECOVERY_CODE_LENGTH
    prove = prove_by_recovery_code if recovering else prove_by_totp
    async with shared.database.transaction() as session:
        right = await prove(session, shared.ring, account_id=person.account_id, code=code, now=now)
    if right and recovering:
        _log.info("recovery_code_spent", extra={"account_id": person.account_id})
    return _Tried(("otp",)) if right else _Tried()


async def _send_code(request: Request, shared: IdentityShared, asked: _Asked, *, now: datetime) -> _Tried:
    visit, person = asked.visit, asked.person
    async with shared.database.transaction() as session:
        phone = await phone_of(session, shared.ring, person.account_id)
        if phone is None:
            return _Tried()
        challenge = await issue(
            session,
            shared.ring,
            purpose=SMS_PURPOSE,
            phone=phone,
            account_id=person.account_id,
            language=visit.language,
            now=now,
            new_id=new_id,
            bound_to=visit.form_cookie,
            address=shared.client_address(request),
            most_per_address=shared.codes_per_address,
        )
    return _Tried(challenge=challenge)


async def _try_sms(shared: IdentityShared, asked: _Asked, challenge: UUID, code: str, *, now: datetime) -> _Tried:
    async with shared.database.transaction() as session:
        verdict = await answer(
            session,
            shared.ring,
            challenge_id=challenge,
            purpose=SMS_PURPOSE,
            code=code,
            now=now,
            bound_to=asked.visit.form_cookie,
        )
    return _Tried(("sms",)) if verdict.accepted and verdict.account_id == asked.person.account_id else _Tried()


async def _try_password(
    request: Request, shared: IdentityShared, person: SignedIn, password: str, *, now: datetime
) -> _Tried:
    async with shared.database.read() as session:
        username = await username_of(session, person.account_id)
    proven = await prove_by_password(
        shared,
        username=username or "",
        password=password,
        browser=known_browser(request, shared),
        client_address=shared.client_address(request),
        now=now,
    )
    if proven is None or proven.account_id != person.account_id:
        return _Tried()
    return _Tried(("pwd",), password=proven)


def _challenge_of(form: Parameters) -> UUID | None:
    try:
        return UUID(form["challenge"])
    except (KeyError, ValueError):
        return None


async def _page(
    shared: IdentityShared,
    asked: _Asked,
    *,
    problem: str | None = None,
    status: int = 200,
    challenge: UUID | None = None,
    seconds: int | None = None,
) -> Response:
    ways = asked.step.ways
    response = await sign_in_form(
        shared,
        asked.visit,
        "second_factor",
        address=SECOND_FACTOR,
        now=utc_now(),
        status=status,
        ways=ways,
        problem=problem,
        seconds=seconds,
        challenge=str(challenge) if challenge else None,
        passkey=page_address(PASSKEY, asked.visit.parameters) if "passkey" in ways else None,
    )
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
