"""The page on which a person replaces the password that their account was opened with, before they see any other."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

import audit
from database import new_id, utc_now
from identity.accounts.commands import prove_account
from identity.accounts.credentials import encoding_of, first_encoding_of
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import PasswordTooCommon, PasswordUnchanged, PasswordUnusable
from identity.levels import OWNER_AMR, SignedIn
from identity.pages.addresses import NEW_PASSWORD, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visit, Visited, is_ours, set_cookie
from identity.sessions.browser import raise_session
from identity.sessions.known_browsers import COOKIE, KNOWN_FOR, remember
from identity.shared import IdentityShared
from identity.sign_in.entry import asked_on, go_on, sign_in_form
from identity.sign_in.password_change import change_password, chosen_password

router = APIRouter(include_in_schema=False, route_class=PageRoute)

NOT_TAKEN: Final[Mapping[type[Exception], Notice]] = {
    PasswordTooCommon: Notice("password_too_common", 400),
    PasswordUnchanged: Notice("password_unchanged", 400),
    PasswordUnusable: Notice("password_length", 400),
    TooManySignIns: Notice("busy", 503),
}
"""What a page says of a new password that was not taken."""
_log = logging.getLogger(__name__)


@router.get(NEW_PASSWORD)
async def ask_for_own_password(visit: Visited) -> Response:
    """Ask for the new password; who needs none goes on to where they wanted to go."""
    asked = await asked_on(NEW_PASSWORD, visit, now=utc_now())
    return asked if isinstance(asked, Response) else await _page(visit)


@router.post(NEW_PASSWORD)
async def choose_password(visit: Visited, form: Form) -> Response:
    """Set the new password, end every other session and go on; or say on the page what is wrong with it."""
    now, shared = utc_now(), visit.shared
    asked = await asked_on(NEW_PASSWORD, visit, now=now)
    if isinstance(asked, Response):
        return asked
    if not is_ours(visit, form):
        return await _page(visit, FORM_EXPIRED)
    person = asked.person
    try:
        encoding = await _encoded(shared, person, form.get("password", ""))
    except tuple(NOT_TAKEN) as error:
        return await _page(visit, NOT_TAKEN[type(error)])
    changed = await _changed(visit, person, encoding, now=now)
    if changed is None:
        return go_to(page_address(SIGN_IN, visit.parameters))
    _log.info("first_password_replaced", extra={"account_id": person.account_id})
    person, session_cookie, browser_cookie = changed
    response = await go_on(visit, person, now=now, just_now=True)
    set_cookie(response, shared, "session", session_cookie)
    set_cookie(response, shared, COOKIE, browser_cookie, max_age=int(KNOWN_FOR.total_seconds()))
    return response


async def _changed(visit: Visit, person: SignedIn, encoding: str, *, now: datetime) -> tuple[SignedIn, str, str] | None:
    """Set the password; gives who goes on, and the new values of the cookies of the session and of the browser.

    Where it was proven in this session whose the account is, it is theirs from now on: every other session ends here.
    None when somebody else who knew the first one was faster, which ended this session.
    """
    me, shared = person.account_id, visit.shared
    async with shared.database.transaction() as session:
        if await first_encoding_of(session, me) is None:
            return None
        raised = await raise_session(session, person, now=now)
        if raised is None:
            return None
        await change_password(
            session,
            shared.ring,
            account_id=me,
            encoding=encoding,
            at=person.session_id,
            language=visit.language,
            new_id=new_id,
            now=now,
        )
        if OWNER_AMR in person.amr and await prove_account(session, me, at=person.signed_in_at):
            await audit.record(session, audit.Entry(action="identity.account.proven", actor=me, subject=me), now=now)
        return *raised, await remember(session, visit.cookie(COOKIE), me, amr=person.amr, now=now)


async def _encoded(shared: IdentityShared, person: SignedIn, typed: str) -> str:
    """Give the encoding of a password that will do. Raises `PasswordUnusable` and `TooManySignIns`."""
    async with shared.database.read() as session:
        first = await encoding_of(session, person.account_id)
    return await chosen_password(shared, person.account_id, typed, instead_of=first)


async def _page(visit: Visit, notice: Notice = NOTHING) -> Response:
    return await sign_in_form(
        visit,
        "new_password",
        address=NEW_PASSWORD,
        notice=notice,
        title="first_password_title",
        intro="first_password_intro",
    )
