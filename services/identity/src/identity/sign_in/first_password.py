"""The page on which a person replaces the password that their account was opened with, before they see any other."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import new_id, utc_now
from identity.accounts.credentials import encoding_of, first_encoding_of, username_of
from identity.accounts.phones import phone_of
from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import PasswordTooCommon, PasswordUnchanged, PasswordUnusable, require_password
from identity.factors.required import next_step
from identity.levels import SignedIn, wanted_level
from identity.pages.addresses import NEW_PASSWORD, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import read_form
from identity.pages.visits import PageRoute, Visit, is_ours, read_visit, set_cookie
from identity.sessions.browser import person_beginning_at, raise_session
from identity.sessions.known_browsers import COOKIE, KNOWN_FOR, remember
from identity.shared import IdentityShared, Shared
from identity.sign_in.entry import go_on, is_for, known_browser, sign_in_form
from identity.sign_in.password_change import change_password

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_NOT_TAKEN: Mapping[type[Exception], tuple[str, int]] = {
    PasswordTooCommon: ("password_too_common", 400),
    PasswordUnchanged: ("password_unchanged", 400),
    PasswordUnusable: ("password_length", 400),
    TooManySignIns: ("busy", 503),
}
"""What a page says of a new password that was not taken, the narrower kind first."""
NOT_TAKEN = tuple(_NOT_TAKEN)
_log = logging.getLogger(__name__)


@router.get(NEW_PASSWORD)
async def ask_for_own_password(request: Request, shared: Shared) -> Response:
    """Ask for the new password; who needs none goes on to where they wanted to go."""
    visit = read_visit(request, shared)
    found = await _person(shared, visit, now=utc_now())
    return found if isinstance(found, Response) else await _page(shared, visit)


@router.post(NEW_PASSWORD)
async def choose_password(request: Request, shared: Shared) -> Response:
    """Set the new password, end every other session and go on; or say on the page what is wrong with it."""
    visit, form = read_visit(request, shared), await read_form(request)
    now = utc_now()
    person = await _person(shared, visit, now=now)
    if isinstance(person, Response):
        return person
    if not is_ours(visit, form):
        return await _page(shared, visit, problem="form_expired", status=403)
    try:
        encoding = await _encoded(shared, person, form.get("password", ""))
    except NOT_TAKEN as error:
        problem, status = told_of(error)
        return await _page(shared, visit, problem=problem, status=status)
    changed = await _changed(request, shared, visit, person, encoding, now=now)
    if changed is None:
        return go_to(page_address(SIGN_IN, visit.parameters))
    _log.info("first_password_replaced", extra={"account_id": person.account_id})
    response = await go_on(shared, visit, changed.person, now=now, just_now=True)
    set_cookie(response, shared, "session", changed.session_cookie)
    set_cookie(response, shared, COOKIE, changed.browser_cookie, max_age=int(KNOWN_FOR.total_seconds()))
    return response


def told_of(error: Exception) -> tuple[str, int]:
    """Give the text and the status with which a page tells that a new password was not taken: one of `NOT_TAKEN`."""
    return next(reason for kind, reason in _NOT_TAKEN.items() if isinstance(error, kind))


class _Changed(NamedTuple):
    """Who goes on with a password of their own, and the new values of the browser's two cookies."""

    person: SignedIn
    session_cookie: str
    browser_cookie: str


async def _changed(
    request: Request, shared: IdentityShared, visit: Visit, person: SignedIn, encoding: str, *, now: datetime
) -> _Changed | None:
    """Set the password; None when somebody else who knew the first one was faster, which ended this session."""
    me = person.account_id
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
            keeping=None,
            at=person.session_id,
            language=visit.language,
            new_id=new_id,
            now=now,
        )
        return _Changed(*raised, await remember(session, known_browser(request, shared), me, now=now))


async def _encoded(shared: IdentityShared, person: SignedIn, typed: str) -> str:
    """Give the encoding of a password that will do. Raises `PasswordUnusable` and `TooManySignIns`."""
    async with shared.database.read() as session:
        username = await username_of(session, person.account_id)
        phone = await phone_of(session, shared.ring, person.account_id)
        first = await encoding_of(session, person.account_id)
    password = require_password(typed, username=username, also=[phone] if phone else [])
    if (await shared.passwords.verify(first, password)).matches:
        raise PasswordUnchanged
    return await shared.passwords.hash(password)


async def _person(shared: IdentityShared, visit: Visit, *, now: datetime) -> SignedIn | Response:
    """Find whose password it is; gives the answer itself when nobody is here for this request, or needs no other."""
    async with shared.database.read() as session:
        person = await person_beginning_at(session, visit.session_cookie, now=now)
        if person is None or not is_for(visit, person, now=now):
            return go_to(page_address(SIGN_IN, visit.parameters))
        step = await next_step(session, person, wanted_level(visit.parameters.get("acr_values")))
    if step is None or step.page != NEW_PASSWORD:
        return await go_on(shared, visit, person, now=now, just_now=False)
    return person


async def _page(shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    return await sign_in_form(
        shared,
        visit,
        "new_password",
        address=NEW_PASSWORD,
        now=utc_now(),
        status=status,
        problem=problem,
        title="first_password_title",
        intro="first_password_intro",
    )
