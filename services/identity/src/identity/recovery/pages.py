"""The pages of recovery: the phone, the code, and, once nothing else is missing, the new password."""

import logging
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from china_time import CHINA
from database import new_id, utc_now
from identity.accounts.credentials import first_encoding_of, username_of
from identity.accounts.phones import normalised_phone, phone_of
from identity.challenges import pages
from identity.credentials.rules import PasswordUnchanged, require_password
from identity.pages.addresses import RECOVERY, SIGN_IN, page_address
from identity.pages.html import go_to, page
from identity.pages.requests import Parameters, read_form
from identity.pages.visits import PageRoute, Visit, cookie_name, form_page, is_ours, read_visit, set_cookie
from identity.recovery.commands import begin_recovery, complete_recovery, prove, proven_recovery
from identity.recovery.rules import PROOF_LIFETIME
from identity.shared import IdentityShared, Shared
from identity.sign_in.first_password import NOT_TAKEN, told_of
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PURPOSE = "recovery"
CODE = "/sign-in/recovery/code"
PASSWORD = "/sign-in/recovery/password"  # noqa: S105 - a page's address
OBJECTION = "/sign-in/objection"
_COOKIE = "recovery"
_log = logging.getLogger(__name__)


def objection_address(shared: IdentityShared) -> str:
    """Give the public address at which the owner of an account can object to its recovery."""
    return f"{shared.parties.issuer}{OBJECTION}"


@router.get(RECOVERY)
async def show_recovery(request: Request, shared: Shared) -> Response:
    """Ask for the phone number that is on file."""
    visit = read_visit(request, shared)
    return phone_page(shared, visit, address=RECOVERY, title="recovery_title")


@router.post(RECOVERY)
async def send_recovery_code(request: Request, shared: Shared) -> Response:
    """Send a code, if the number is anybody's, and go on in either case."""
    visit, form = read_visit(request, shared), await read_form(request)
    return await send(
        request, shared, visit, form, address=RECOVERY, title="recovery_title", purpose=PURPOSE, onward=CODE
    )


@router.get(CODE)
async def show_recovery_code(request: Request, shared: Shared) -> Response:
    """Ask for the code."""
    visit = read_visit(request, shared)
    return _code_page(shared, visit)


@router.post(CODE)
async def begin_recovery_(request: Request, shared: Shared) -> Response:
    """Check the code; then go on to the new password, or say what is missing before it can be set."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return _code_page(shared, visit, problem="form_expired", status=403)
    verdict = await pages.verdict_on(request, shared, visit, form, purpose=PURPOSE)
    if verdict.account_id is None:
        _log.info("code_refused")
        return _code_page(shared, visit, problem="code_over" if verdict.over else "code_wrong", status=400)
    now = utc_now()
    async with shared.database.transaction() as session:
        recovery = await begin_recovery(
            session,
            shared.ring,
            account_id=verdict.account_id,
            lost_device="lost_device" in form,
            address=objection_address(shared),
            language=visit.language,
            new_id=new_id,
            now=now,
        )
        proof = await prove(session, recovery, now=now)
        ready_at = recovery.ready_at
    _log.info("recovery_begun", extra={"recovery_id": recovery.recovery_id, "status": recovery.status})
    if proof is None:
        return _waiting_page(visit, ready_at)
    response = go_to(page_address(PASSWORD, visit.parameters))
    set_cookie(response, shared, _COOKIE, proof, max_age=int(PROOF_LIFETIME.total_seconds()))
    return response


@router.get(PASSWORD)
async def show_new_password(request: Request, shared: Shared) -> Response:
    """Ask for the new password."""
    visit = read_visit(request, shared)
    return _password_page(shared, visit)


@router.post(PASSWORD)
async def set_new_password(request: Request, shared: Shared) -> Response:
    """Set the new password and end every session; or say on the page what is wrong with it."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return _password_page(shared, visit, problem="form_expired", status=403)
    proof = request.cookies.get(cookie_name(_COOKIE, secure=shared.secure))
    try:
        done = await _complete(shared, visit, proof, form.get("password", ""), now=utc_now())
    except NOT_TAKEN as error:
        problem, status = told_of(error)
        return _password_page(shared, visit, problem=problem, status=status)
    if not done:
        return phone_page(shared, visit, address=RECOVERY, title="recovery_title", problem="recovery_over", status=400)
    response = page(
        "recovered",
        language=visit.language,
        address=RECOVERY,
        parameters=visit.parameters,
        sign_in=page_address(SIGN_IN, visit.parameters),
    )
    response.delete_cookie(cookie_name(_COOKIE, secure=shared.secure), secure=shared.secure, httponly=True)
    return response


async def _complete(shared: IdentityShared, visit: Visit, proof: str | None, typed: str, *, now: datetime) -> bool:
    """Set the password where the proof holds; raises `PasswordUnusable` and `TooManySignIns`."""
    async with shared.database.transaction() as session:
        recovery = await proven_recovery(session, proof, now=now)
        if recovery is None:
            return False
        username = await username_of(session, recovery.account_id)
        phone = await phone_of(session, shared.ring, recovery.account_id)
        first = await first_encoding_of(session, recovery.account_id)
    password = require_password(typed, username=username, also=[phone] if phone else [])
    if first is not None and (await shared.passwords.verify(first, password)).matches:
        raise PasswordUnchanged
    encoding = await shared.passwords.hash(password)
    async with shared.database.transaction() as session:
        recovery = await proven_recovery(session, proof, now=now)
        if recovery is None:
            return False
        await complete_recovery(
            session, shared.ring, recovery, encoding=encoding, language=visit.language, new_id=new_id, now=now
        )
    _log.info("recovery_completed", extra={"recovery_id": recovery.recovery_id, "account_id": recovery.account_id})
    return True


async def send(
    request: Request,
    shared: IdentityShared,
    visit: Visit,
    form: Parameters,
    *,
    address: str,
    title: str,
    purpose: str,
    onward: str,
) -> Response:
    """Send a code for `purpose` to the number of the form, if it is anybody's, and go on to `onward` in either case."""
    if not is_ours(visit, form):
        return phone_page(shared, visit, address=address, title=title, problem="form_expired", status=403)
    phone = normalised_phone(form.get("phone", ""))
    if phone is None:
        return phone_page(shared, visit, address=address, title=title, problem="phone_unusable", status=400)
    try:
        challenge_id = await pages.send_code(request, shared, visit, phone=phone, purpose=purpose)
    except TooOften as error:
        wait = error.retry_after_seconds
        response: Response = phone_page(
            shared, visit, address=address, title=title, problem="codes_too_often", status=429, seconds=wait
        )
        response.headers["Retry-After"] = str(wait)
        return response
    response = go_to(page_address(onward, visit.parameters))
    pages.keep_challenge(response, shared, challenge_id)
    return response


def phone_page(
    shared: IdentityShared,
    visit: Visit,
    *,
    address: str,
    title: str,
    problem: str | None = None,
    status: int = 200,
    seconds: int | None = None,
) -> Response:
    """Render the page that asks for a phone number."""
    back = page_address(SIGN_IN, visit.parameters)
    return form_page(
        shared,
        visit,
        "code_phone",
        address=address,
        status=status,
        title=title,
        problem=problem,
        seconds=seconds,
        back=back,
        client=None,
        notice_code=address == OBJECTION,
    )


def _code_page(shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    again = page_address(RECOVERY, visit.parameters)
    return form_page(
        shared,
        visit,
        "code_answer",
        address=CODE,
        status=status,
        title="recovery_title",
        problem=problem,
        again=again,
        question="lost_device",
    )


def _password_page(shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    return form_page(
        shared,
        visit,
        "new_password",
        address=PASSWORD,
        status=status,
        problem=problem,
        title="new_password",
        intro=None,
    )


def _waiting_page(visit: Visit, ready_at: datetime | None) -> Response:
    """Say what is missing: the officers' approval, or the rest of the delay, rounded up to China's next minute."""
    when = None if ready_at is None else (ready_at + timedelta(minutes=1)).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return page("recovery_waiting", language=visit.language, address=RECOVERY, parameters=visit.parameters, when=when)
