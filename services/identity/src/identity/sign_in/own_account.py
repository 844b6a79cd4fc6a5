"""The pages on which a member opens the own account, by a code to the phone on their file.

They are asked for name and identity number, and told the same whoever they are, until they have given the code. What
is there by then stays as it is, but an account that somebody else opened for them, which becomes theirs. Whose own
account has no phone is led on to a new password.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

import audit
import orgtree
from channels import index_of
from database import new_id, utc_now
from identity.accounts.commands import AccountExists, UsernameTaken, add_account, prove_account
from identity.accounts.credentials import count_as_phone, username_of
from identity.accounts.phones import has_file_phone_alone
from identity.accounts.tables import Account, Credential
from identity.credentials.rules import PERSON_HEARS, UsernameUnusable, require_username
from identity.levels import CODE_AMR, ONE_FACTOR_ACR
from identity.pages.addresses import (
    OWN_ACCOUNT,
    OWN_ACCOUNT_CODE,
    OWN_ACCOUNT_PASSWORD,
    OWN_ACCOUNT_RECOVERY,
    RECOVERY,
    SIGN_IN,
    page_address,
)
from identity.pages.html import go_to
from identity.pages.requests import Parameters
from identity.pages.visits import (
    FORM_EXPIRED,
    NOTHING,
    Form,
    Notice,
    PageRoute,
    Visit,
    Visited,
    form_page,
    is_ours,
    set_cookie,
)
from identity.phone_proofs.commands import LIFETIME, Whose, ask_for_code, passed_proof, try_code
from identity.secrets import new_secret
from identity.sessions.browser import Proven
from identity.sign_in.code_pages import CHALLENGE, asking_browser, id_in
from identity.sign_in.entry import enter, sign_in_form
from identity.sign_in.first_password import NOT_TAKEN
from identity.sign_in.password_change import change_password
from identity.throttling.rates import TooOften
from webapi.normal_forms import bare_number, person_name

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_COOKIE_SECONDS = 2 * int(LIFETIME.total_seconds())
_LONGEST_NAME, _NUMBER_LENGTHS = 100, (15, 18)
_NOT_TAKEN: Final[Mapping[type[Exception], Notice]] = {
    **NOT_TAKEN,
    UsernameUnusable: Notice("own_account_username", 400),
    UsernameTaken: Notice("own_account_username_taken", 409),
    AccountExists: Notice("own_account_there", 409),
}
_log = logging.getLogger(__name__)


class _Theirs(NamedTuple):
    """Whoever gave the code: the person, where they belong, and the user name of the account that waits for them."""

    proof_id: UUID
    person_id: UUID
    organisation_id: UUID
    username: str | None


@router.get(OWN_ACCOUNT)
async def ask_who(visit: Visited) -> Response:
    """Ask for name and identity number."""
    return await _who_page(visit)


@router.post(OWN_ACCOUNT)
async def send_own_code(visit: Visited, form: Form) -> Response:
    """Have a code sent, if anybody is of that name and number and has a phone on file; go on in either case."""
    if not is_ours(visit, form):
        return await _who_page(visit, FORM_EXPIRED)
    shared, index = visit.shared, _index(visit, form)
    if index is None:
        return await _who_page(visit, Notice("own_account_unusable", 400))
    try:
        async with shared.database.transaction() as session:
            proof_id = await ask_for_code(
                session,
                shared.ring,
                purpose="own_account",
                whose=Whose(person_index=index),
                browser=asking_browser(visit),
                new_id=new_id,
                now=utc_now(),
            )
    except TooOften as error:
        return await _who_page(visit, Notice("codes_too_often", 429, error.retry_after_seconds))
    response = go_to(page_address(OWN_ACCOUNT_CODE, visit.parameters))
    set_cookie(response, shared, CHALLENGE, str(proof_id), max_age=_COOKIE_SECONDS)
    return response


@router.get(OWN_ACCOUNT_CODE)
async def ask_own_code(visit: Visited) -> Response:
    """Ask for the code."""
    return await _code_page(visit)


@router.post(OWN_ACCOUNT_CODE)
async def take_own_code(visit: Visited, form: Form) -> Response:
    """Check the code; then go on to user name and password, or say on the page that it is wrong."""
    if not is_ours(visit, form):
        return await _code_page(visit, FORM_EXPIRED)
    secret, code, proof_id = visit.form_cookie or "", form.get("code", ""), id_in(visit.cookie(CHALLENGE))
    async with visit.shared.database.transaction() as session:
        verdict = await try_code(
            session, visit.shared.phone_ring, proof_id, purpose="own_account", secret=secret, code=code, now=utc_now()
        )
    if verdict.person_id is None:
        _log.info("phone_proof_refused")
        return await _code_page(visit, Notice("code_over" if verdict.over else "code_wrong", 400))
    return go_to(page_address(OWN_ACCOUNT_PASSWORD, visit.parameters))


@router.get(OWN_ACCOUNT_PASSWORD)
async def ask_own_password(visit: Visited) -> Response:
    """Ask for what the account is to be entered by, or say that there is one."""
    theirs = await _theirs(visit, now=utc_now())
    return theirs if isinstance(theirs, Response) else await _password_page(visit, theirs)


@router.post(OWN_ACCOUNT_PASSWORD)
async def open_own_account(visit: Visited, form: Form) -> Response:
    """Open the account, or take over the one that waits, and sign its owner in; or say what is wrong on the page."""
    now, shared = utc_now(), visit.shared
    theirs = await _theirs(visit, now=now)
    if isinstance(theirs, Response):
        return theirs
    if not is_ours(visit, form):
        return await _password_page(visit, theirs, FORM_EXPIRED)
    try:
        username = theirs.username or require_username(form.get("username", ""))
        encoding = await shared.passwords.choose(theirs.person_id, form.get("password", ""), username=username)
        async with shared.database.transaction() as session:
            opened = await _opened(session, visit, theirs, username, encoding, now=now)
    except tuple(_NOT_TAKEN) as error:
        return await _password_page(visit, theirs, _NOT_TAKEN[type(error)])
    entered = None
    if opened:
        _log.info("own_account_opened", extra={"account_id": theirs.person_id})
        its = (Credential.account_id == theirs.person_id, Credential.secret == encoding)
        by = select(Credential.credential_id).where(*its)
        entered = await enter(visit, Proven(theirs.person_id, ONE_FACTOR_ACR, CODE_AMR, by))
    return entered or go_to(page_address(OWN_ACCOUNT_PASSWORD, visit.parameters))


async def _opened(
    session: AsyncSession, visit: Visit, theirs: _Theirs, username: str, encoding: str, *, now: datetime
) -> bool:
    """Spend the proof on the account; False when it was spent already, or there is another account by now."""
    proof = await passed_proof(session, theirs.proof_id, purpose="own_account", secret=visit.form_cookie or "", now=now)
    if proof is None:
        return False
    me, proven_at, proof.ended_at = theirs.person_id, proof.passed_at or now, now
    if theirs.username is None:
        if await session.get(Account, me) is not None:
            return False
        await add_account(
            session,
            account_id=me,
            username=username,
            password_encoding=None,
            organisation_id=theirs.organisation_id,
            proven_at=proven_at,
            new_id=new_id,
            now=now,
        )
    elif not await prove_account(session, me, at=proven_at):
        return False
    await change_password(
        session, visit.shared.ring, account_id=me, encoding=encoding, language=visit.language, new_id=new_id, now=now
    )
    await count_as_phone(session, me, until=now + PERSON_HEARS)
    action = "identity.account.opened" if theirs.username is None else "identity.account.proven"
    entry = audit.Entry(
        action=action, actor=me, subject=me, organisation_id=theirs.organisation_id, object_id=proof.proof_id
    )
    await audit.record(session, entry, now=now)
    return True


async def _theirs(visit: Visit, *, now: datetime) -> _Theirs | Response:
    """Find who has given the code in this browser; or give the answer that leads them elsewhere."""
    proof_id, secret = id_in(visit.cookie(CHALLENGE)), visit.form_cookie or ""
    async with visit.shared.database.transaction() as session:
        proof = await passed_proof(session, proof_id, purpose="own_account", secret=secret, now=now)
        if proof is None or proof.person_id is None:
            return go_to(page_address(OWN_ACCOUNT, visit.parameters))
        account = await session.get(Account, proof.person_id)
        username = await username_of(session, proof.person_id)
        organisation_id = await orgtree.affiliation_of(session, proof.person_id)
        by_file = await has_file_phone_alone(session, proof.person_id)
        found = (proof.proof_id, proof.person_id)
    if account is None and organisation_id is not None:
        return _Theirs(*found, organisation_id, None)
    if account is not None and account.status == "active" and account.proven_at is None and username is not None:
        return _Theirs(*found, organisation_id or account.organisation_id, username)
    there = "own_account_forgotten" if by_file else "own_account_there"
    return form_page(
        visit,
        "own_account_there",
        address=OWN_ACCOUNT_PASSWORD,
        text=there if account is not None else "own_account_not_yet",
        username=username,
        sign_in=page_address(SIGN_IN, visit.parameters),
        recovery=page_address(OWN_ACCOUNT_RECOVERY if by_file else RECOVERY, visit.parameters),
    )


def _index(visit: Visit, form: Parameters) -> str | None:
    """Give the index of what was typed, None for what can be no name and number: the form alone decides that."""
    number = bare_number(form.get("id_number", "")).upper()
    try:
        name = person_name(form.get("name", "")[: 4 * _LONGEST_NAME])
    except PydanticCustomError:
        return None
    if not 0 < len(name) <= _LONGEST_NAME or len(number) not in _NUMBER_LENGTHS or not number[:-1].isdecimal():
        return None
    return index_of(visit.shared.phone_ring, name, number).hex()


async def _who_page(visit: Visit, notice: Notice = NOTHING) -> Response:
    if visit.form_cookie is None:
        visit = visit._replace(form_cookie=new_secret())
    back = page_address(SIGN_IN, visit.parameters)
    return await sign_in_form(visit, "own_account", address=OWN_ACCOUNT, notice=notice, back=back)


async def _code_page(visit: Visit, notice: Notice = NOTHING) -> Response:
    again = page_address(OWN_ACCOUNT, visit.parameters)
    title, sent = "own_account_title", "own_account_sent"
    return await sign_in_form(
        visit,
        "code_answer",
        address=OWN_ACCOUNT_CODE,
        notice=notice,
        title=title,
        sent=sent,
        again=again,
        question=None,
    )


async def _password_page(visit: Visit, theirs: _Theirs, notice: Notice = NOTHING) -> Response:
    return await sign_in_form(
        visit, "own_account_password", address=OWN_ACCOUNT_PASSWORD, notice=notice, username=theirs.username
    )
