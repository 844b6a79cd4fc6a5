"""The page on which the person whom an account was opened for proves that it is theirs, before it opens anything.

By a code to the phone on their member file, or by a number that they read to an officer who sees them. It says the same
whether there is a phone on that file: whoever opened the account may stand here too. So it is this browser's session
that has the proof, and the account is theirs with the password that they choose in it next (`first_password`).
"""

import logging
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from database import new_id, utc_now
from identity.levels import OWNER_AMR
from identity.pages.addresses import FILE_PHONE, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import Parameters
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visited, is_ours, set_cookie
from identity.phone_proofs.commands import Whose, ask_for_code, try_code
from identity.phone_proofs.numbers import number_of
from identity.sessions.browser import raise_session
from identity.sign_in.code_pages import asking_browser, id_in
from identity.sign_in.entry import Asked, asked_on, go_on, sign_in_form
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


@router.get(FILE_PHONE)
async def show_proofs(visit: Visited) -> Response:
    """Say how to prove it; who has goes on to where they wanted to go."""
    asked = await asked_on(FILE_PHONE, visit, now=utc_now())
    return asked if isinstance(asked, Response) else await _page(asked)


@router.post(FILE_PHONE)
async def prove_by_phone(visit: Visited, form: Form) -> Response:
    """Have a code sent, check the one that came, or see that an officer confirmed; then go on, or say what is wrong."""
    now = utc_now()
    asked = await asked_on(FILE_PHONE, visit, now=now)
    if isinstance(asked, Response):  # as where an officer has confirmed in the meantime
        return asked
    if not is_ours(visit, form):
        return await _page(asked, FORM_EXPIRED)
    if form.get("way") == "confirmed":
        return await _page(asked, Notice("file_phone_not_confirmed", 400))
    if form.get("way") == "send":
        return await _send(asked, now=now)
    return await _try(asked, form, now=now)


async def _send(asked: Asked, *, now: datetime) -> Response:
    shared, whose = asked.visit.shared, Whose(person_id=asked.person.account_id)
    try:
        async with shared.database.transaction() as session:
            browser = asking_browser(asked.visit)
            proof_id = await ask_for_code(
                session, shared.ring, purpose="first_sign_in", whose=whose, browser=browser, new_id=new_id, now=now
            )
    except TooOften as error:
        return await _page(asked, Notice("codes_too_often", 429, error.retry_after_seconds))
    return await _page(asked, proof_id=proof_id)


async def _try(asked: Asked, form: Parameters, *, now: datetime) -> Response:
    visit, me, proof_id = asked.visit, asked.person.account_id, id_in(form.get("proof"))
    secret, code = visit.form_cookie or "", form.get("code", "")
    async with visit.shared.database.transaction() as session:
        verdict = await try_code(
            session, visit.shared.phone_ring, proof_id, purpose="first_sign_in", secret=secret, code=code, now=now
        )
        right = verdict.person_id == me
        raised = await raise_session(session, asked.person, "sms", OWNER_AMR, now=now) if right else None
    if not right:
        _log.info("phone_proof_refused", extra={"account_id": me})
        notice = Notice("code_over" if verdict.over else "code_wrong", 400)
        return await _page(asked, notice, proof_id=None if verdict.over else proof_id)
    if raised is None:
        return go_to(page_address(SIGN_IN, visit.parameters))
    person, cookie = raised
    _log.info("phone_proof_given", extra={"account_id": me})
    response = await go_on(visit, person, now=now, just_now=True)
    set_cookie(response, visit.shared, "session", cookie)
    return response


async def _page(asked: Asked, notice: Notice = NOTHING, *, proof_id: UUID | None = None) -> Response:
    number = number_of(asked.visit.shared.ring, asked.person.session_id)
    return await sign_in_form(
        asked.visit,
        "file_phone",
        address=FILE_PHONE,
        notice=notice,
        proof=None if proof_id is None else str(proof_id),
        number=f"{number[:4]} {number[4:]}",
    )
