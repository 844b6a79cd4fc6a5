"""The page that asks for a second factor: a code of the app or the phone, a recovery code, the password, a passkey."""

import logging
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from database import utc_now
from identity.accounts.credentials import username_of
from identity.accounts.phones import phone_of
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import FirstPasswordExpired
from identity.factors.totp.commands import prove_by_recovery_code, prove_by_totp
from identity.pages.addresses import PASSKEY, SECOND_FACTOR, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import Parameters
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visited, is_ours, set_cookie
from identity.sessions.browser import Proven, raise_session, still_proves
from identity.sessions.known_browsers import COOKIE, KNOWN_FOR, is_known_to, remember
from identity.sign_in.by_password import BUSY
from identity.sign_in.code_pages import id_in, send_code, verdict_on
from identity.sign_in.entry import Asked, asked_on, go_on, sign_in_form
from identity.sign_in.password_guess import prove_by_password
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

SMS_PURPOSE = "second_factor"
_RECOVERY_CODE_LENGTH = 16
_log = logging.getLogger(__name__)


class _Tried(NamedTuple):
    """What a try came to: the ways it proved (none when it was wrong), by which password, or the challenge sent."""

    ways: tuple[str, ...] = ()
    challenge: UUID | None = None
    password: Proven | None = None


@router.get(SECOND_FACTOR)
async def show_second_factor(visit: Visited) -> Response:
    """Ask for what is missing; when nothing is, go on to where the person wanted to go."""
    asked = await asked_on(SECOND_FACTOR, visit, now=utc_now())
    return asked if isinstance(asked, Response) else await _page(asked)


@router.post(SECOND_FACTOR)
async def give_second_factor(visit: Visited, form: Form) -> Response:
    """Check what was given; then let the session count for more and go on, or say on the page what is wrong."""
    now = utc_now()
    asked = await asked_on(SECOND_FACTOR, visit, now=now)
    if isinstance(asked, Response):
        return asked
    if not is_ours(visit, form):
        return await _page(asked, FORM_EXPIRED)
    try:
        tried = await _try(asked, form, now=now)
    except TooOften as error:
        _log.info("second_factor_has_to_wait", extra={"account_id": asked.person.account_id})
        return await _page(asked, Notice("factor_wait", 429, error.retry_after_seconds))
    except FirstPasswordExpired:
        return await _page(asked, Notice("first_password_expired", 400))
    except TooManySignIns:
        return await _page(asked, BUSY)
    return await _after(asked, form, tried, now=now)


async def _after(asked: Asked, form: Parameters, tried: _Tried, *, now: datetime) -> Response:
    visit, account = asked.visit, {"account_id": asked.person.account_id}
    if tried.challenge is not None:
        return await _page(asked, challenge=tried.challenge)
    if not tried.ways:
        _log.info("second_factor_refused", extra=account)
        return await _page(asked, Notice("factor_wrong", 400), challenge=id_in(form.get("challenge")))
    async with visit.shared.database.transaction() as session:
        changed = tried.password is not None and await still_proves(session, tried.password) is None
        raised = None if changed else await raise_session(session, asked.person, *tried.ways, now=now)
        if raised is None:
            return go_to(page_address(SIGN_IN, visit.parameters))
        person, cookie = raised
        browser = await remember(session, visit.cookie(COOKIE), person.account_id, amr=person.amr, now=now)
    _log.info("second_factor_given", extra=account)
    response = await go_on(visit, person, now=now, just_now=True)
    set_cookie(response, visit.shared, "session", cookie)
    set_cookie(response, visit.shared, COOKIE, browser, max_age=int(KNOWN_FOR.total_seconds()))
    return response


async def _try(asked: Asked, form: Parameters, *, now: datetime) -> _Tried:
    """Try what the form holds, if it is one of the ways that will do. Raises as `prove_by_password`."""
    ways, way, code = asked.step.ways, form.get("way", ""), form.get("code", "")
    if way == "app" and "totp" in ways:
        return await _try_app(asked, code, now=now)
    if way == "send" and "sms" in ways:
        return await _send_code(asked)
    if way == "sms" and "sms" in ways:
        return await _try_sms(asked, form.get("challenge", ""), code)
    if way == "password" and "password" in ways:
        return await _try_password(asked, form.get("password", ""), now=now)
    return _Tried()


async def _try_app(asked: Asked, code: str, *, now: datetime) -> _Tried:
    account_id, shared = asked.person.account_id, asked.visit.shared
    letters = "".join(character for character in code if character.isalnum())
    recovering = "recovery_code" in asked.step.ways and len(letters) == _RECOVERY_CODE_LENGTH
    prove = prove_by_recovery_code if recovering else prove_by_totp
    async with shared.database.transaction() as session:
        known = await is_known_to(session, asked.visit.cookie(COOKIE), account_id, now=now)
        right = await prove(session, shared.ring, account_id=account_id, known_browser=known, code=code, now=now)
    if right and recovering:
        _log.info("recovery_code_spent", extra={"account_id": account_id})
    return _Tried(("otp",)) if right else _Tried()


async def _send_code(asked: Asked) -> _Tried:
    visit, account_id = asked.visit, asked.person.account_id
    async with visit.shared.database.transaction() as session:
        phone = await phone_of(session, visit.shared.ring, account_id)
        if phone is None:
            return _Tried()
        known = await is_known_to(session, visit.cookie(COOKIE), account_id, now=utc_now())
        challenge = await send_code(
            session, visit, purpose=SMS_PURPOSE, phone=phone, account_id=account_id, known_browser=known
        )
    return _Tried(challenge=challenge)


async def _try_sms(asked: Asked, challenge: str, code: str) -> _Tried:
    verdict = await verdict_on(asked.visit, challenge, code, purpose=SMS_PURPOSE)
    return _Tried(("sms",)) if verdict.accepted and verdict.account_id == asked.person.account_id else _Tried()


async def _try_password(asked: Asked, password: str, *, now: datetime) -> _Tried:
    visit, account_id = asked.visit, asked.person.account_id
    async with visit.shared.database.read() as session:
        username = await username_of(session, account_id)
    proven = await prove_by_password(
        visit.shared,
        username=username or "",
        password=password,
        browser=visit.cookie(COOKIE),
        client_address=visit.client_address,
        now=now,
    )
    return _Tried(("pwd",), password=proven) if proven and proven.account_id == account_id else _Tried()


async def _page(asked: Asked, notice: Notice = NOTHING, *, challenge: UUID | None = None) -> Response:
    ways = asked.step.ways
    return await sign_in_form(
        asked.visit,
        "second_factor",
        address=SECOND_FACTOR,
        notice=notice,
        ways=ways,
        challenge=str(challenge) if challenge else None,
        passkey=page_address(PASSKEY, asked.visit.parameters) if "passkey" in ways else None,
    )
