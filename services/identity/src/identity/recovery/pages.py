"""The pages of recovery: the phone, the code, and, once nothing else is missing, the new password."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from china_time import CHINA
from database import new_id, utc_now
from identity.accounts.credentials import first_encoding_of
from identity.accounts.phones import has_file_phone_alone
from identity.pages.addresses import OWN_ACCOUNT, OWN_ACCOUNT_RECOVERY, RECOVERY, SIGN_IN, page_address
from identity.pages.html import go_to, page
from identity.pages.requests import Parameters
from identity.pages.visits import (
    FORM_EXPIRED,
    NOTHING,
    Form,
    Notice,
    PageRoute,
    Visit,
    Visited,
    cookie_name,
    form_page,
    is_ours,
    set_cookie,
)
from identity.phone_proofs.commands import passed_proof
from identity.recovery.commands import begin_recovery, complete_recovery, prove, proven_recovery
from identity.recovery.rules import PROOF_LIFETIME
from identity.shared import IdentityShared
from identity.sign_in.code_pages import CHALLENGE, CodePages, id_in
from identity.sign_in.first_password import NOT_TAKEN
from identity.sign_in.password_change import chosen_password

router = APIRouter(include_in_schema=False, route_class=PageRoute)

CODE = "/sign-in/recovery/code"
PASSWORD = "/sign-in/recovery/password"  # noqa: S105 - a page's address
OBJECTION = "/sign-in/objection"
_COOKIE = "recovery"
_PAGES = CodePages("recovery", "recovery_title", phone=RECOVERY, code=CODE, question="lost_device", by_file=True)
_log = logging.getLogger(__name__)

router.get(RECOVERY, name="show_recovery")(_PAGES.ask_phone)
router.post(RECOVERY, name="send_recovery_code")(_PAGES.send_code)
router.get(CODE, name="show_recovery_code")(_PAGES.ask_code)


def objection_address(shared: IdentityShared) -> str:
    """Give the public address at which the owner of an account can object to its recovery."""
    return f"{shared.parties.issuer}{OBJECTION}"


@router.post(CODE)
async def begin_recovery_(visit: Visited, form: Form) -> Response:
    """Check the code; then go on to the new password, or say what is missing before it can be set."""
    verdict = await _PAGES.verdict_on(visit, form)
    if isinstance(verdict, Response):
        return verdict
    if verdict.account_id is None:
        return await _PAGES.refuse(visit, verdict)
    async with visit.shared.database.transaction() as session:
        return await _begun(session, visit, verdict.account_id, form, now=utc_now())


@router.post(OWN_ACCOUNT_RECOVERY)
async def begin_recovery_by_file(visit: Visited, form: Form) -> Response:
    """Do the same for who gave the code to the phone on their member file and whose account has none, once."""
    now, proof_id = utc_now(), id_in(visit.cookie(CHALLENGE))
    if is_ours(visit, form):
        async with visit.shared.database.transaction() as session:
            proof = await passed_proof(
                session, proof_id, purpose="own_account", secret=visit.form_cookie or "", now=now
            )
            me = None if proof is None else proof.person_id
            if proof is not None and me is not None and await has_file_phone_alone(session, me):
                proof.ended_at = now
                return await _begun(session, visit, me, form, now=now)
    return go_to(page_address(OWN_ACCOUNT, visit.parameters))


async def _begun(session: AsyncSession, visit: Visit, account_id: UUID, form: Parameters, *, now: datetime) -> Response:
    """Begin the recovery or go on with it, and give the page that comes next."""
    shared = visit.shared
    recovery = await begin_recovery(
        session,
        shared.ring,
        account_id=account_id,
        lost_device="lost_device" in form,
        address=objection_address(shared),
        language=visit.language,
        new_id=new_id,
        now=now,
    )
    proof = await prove(session, recovery, now=now)
    _log.info("recovery_begun", extra={"recovery_id": recovery.recovery_id, "status": recovery.status})
    if proof is None:
        return _waiting_page(visit, recovery.ready_at)
    response = go_to(page_address(PASSWORD, visit.parameters))
    set_cookie(response, shared, _COOKIE, proof, max_age=int(PROOF_LIFETIME.total_seconds()))
    return response


@router.get(PASSWORD)
async def show_new_password(visit: Visited) -> Response:
    """Ask for the new password."""
    return _password_page(visit)


@router.post(PASSWORD)
async def set_new_password(visit: Visited, form: Form) -> Response:
    """Set the new password and end every session; or say on the page what is wrong with it."""
    if not is_ours(visit, form):
        return _password_page(visit, FORM_EXPIRED)
    try:
        done = await _complete(visit, form.get("password", ""), now=utc_now())
    except tuple(NOT_TAKEN) as error:
        return _password_page(visit, NOT_TAKEN[type(error)])
    if not done:
        return await _PAGES.phone_page(visit, Notice("recovery_over", 400))
    response = page(
        "recovered",
        language=visit.language,
        address=RECOVERY,
        parameters=visit.parameters,
        sign_in=page_address(SIGN_IN, visit.parameters),
    )
    secure = visit.shared.secure
    response.delete_cookie(cookie_name(_COOKIE, secure=secure), secure=secure, httponly=True)
    return response


async def _complete(visit: Visit, typed: str, *, now: datetime) -> bool:
    """Set the password where the browser's proof holds; raises `PasswordUnusable` and `TooManySignIns`."""
    shared, proof = visit.shared, visit.cookie(_COOKIE)
    async with shared.database.transaction() as session:
        recovery = await proven_recovery(session, proof, now=now)
        if recovery is None:
            return False
        first = await first_encoding_of(session, recovery.account_id)
    encoding = await chosen_password(shared, recovery.account_id, typed, instead_of=first)
    async with shared.database.transaction() as session:
        recovery = await proven_recovery(session, proof, now=now)
        if recovery is None:
            return False
        await complete_recovery(
            session, shared.ring, recovery, encoding=encoding, language=visit.language, new_id=new_id, now=now
        )
    _log.info("recovery_completed", extra={"recovery_id": recovery.recovery_id, "account_id": recovery.account_id})
    return True


def _password_page(visit: Visit, notice: Notice = NOTHING) -> Response:
    return form_page(visit, "new_password", address=PASSWORD, notice=notice, title="new_password", intro=None)


def _waiting_page(visit: Visit, ready_at: datetime | None) -> Response:
    """Say what is missing: the officers' approval, or the rest of the delay, rounded up to China's next minute."""
    when = None if ready_at is None else (ready_at + timedelta(minutes=1)).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    return page("recovery_waiting", language=visit.language, address=RECOVERY, parameters=visit.parameters, when=when)
