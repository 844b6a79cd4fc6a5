"""What the pages that send and take one-time codes share: a challenge is bound to the browser by its form's cookie."""

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from database import new_id, utc_now
from identity.accounts.phones import account_with
from identity.challenges.commands import Verdict, answer, issue
from identity.pages.requests import Parameters
from identity.pages.visits import Visit, cookie_name, set_cookie
from identity.sessions.known_browsers import COOKIE, is_known_to
from identity.shared import IdentityShared

_COOKIE = "challenge"
_COOKIE_SECONDS = 600
"""Longer than a code lives, so that the page can say that it has expired."""


async def send_code(request: Request, shared: IdentityShared, visit: Visit, *, phone: str, purpose: str) -> UUID:
    """Send a code to the owner of `phone`, bound to this browser; nobody's number takes the same. Raises `TooOften`."""
    now = utc_now()
    browser = request.cookies.get(cookie_name(COOKIE, secure=shared.secure))
    async with shared.database.transaction() as session:
        account_id = await account_with(session, shared.ring, phone)
        known = await is_known_to(session, browser, account_id, now=now)
        return await issue(
            session,
            shared.ring,
            purpose=purpose,
            phone=phone,
            account_id=account_id,
            language=visit.language,
            now=now,
            new_id=new_id,
            bound_to=visit.form_cookie,
            address=shared.client_address(request),
            most_per_address=shared.codes_per_address,
            known_browser=known,
        )


def keep_challenge(response: Response, shared: IdentityShared, challenge_id: UUID) -> None:
    """Set the cookie by which the page that takes the code knows the challenge."""
    set_cookie(response, shared, _COOKIE, str(challenge_id), max_age=_COOKIE_SECONDS)


async def verdict_on(
    request: Request, shared: IdentityShared, visit: Visit, form: Parameters, *, purpose: str
) -> Verdict:
    """Hold the form's `code` against the challenge of this browser; the try counts whatever comes of it."""
    try:
        challenge_id = UUID(request.cookies.get(cookie_name(_COOKIE, secure=shared.secure), ""))
    except ValueError:
        return Verdict(accepted=False, over=True)
    async with shared.database.transaction() as session:
        return await answer(
            session,
            shared.ring,
            challenge_id=challenge_id,
            purpose=purpose,
            code=form.get("code", ""),
            now=utc_now(),
            bound_to=visit.form_cookie,
        )
