"""Signing in, or getting back in, by a code to the phone: a page for the number, then one for the code that was sent.

A challenge is bound to the browser by its form's cookie.
"""

import logging
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from database import new_id, utc_now
from identity.accounts.phones import account_with, normalised_phone
from identity.challenges.commands import Asking, Verdict, answer, issue
from identity.pages.addresses import OWN_ACCOUNT, SIGN_IN, page_address
from identity.pages.html import go_to
from identity.pages.requests import Parameters
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, Visit, Visited, form_page, is_ours, set_cookie
from identity.phone_proofs.commands import Browser
from identity.sessions.known_browsers import COOKIE, is_known_to
from identity.sign_in.entry import sign_in_form
from identity.throttling.rates import TooOften

CHALLENGE = "challenge"
"""The cookie of a code that was sent, also to the phone on a member file."""
_COOKIE_SECONDS = 600
"""Longer than a code lives, so that the page can say that it has expired."""
_log = logging.getLogger(__name__)


async def send_code(
    session: AsyncSession,
    visit: Visit,
    *,
    purpose: str,
    phone: str,
    account_id: UUID | None,
    known_browser: bool = False,
) -> UUID:
    """Send a code that is good in this browser alone, and give its id. Raises `TooOften`, as `issue` says."""
    shared = visit.shared
    asking = Asking(visit.language, visit.client_address, shared.codes_per_address, visit.form_cookie, known_browser)
    return await issue(
        session,
        shared.ring,
        purpose=purpose,
        phone=phone,
        account_id=account_id,
        asking=asking,
        now=utc_now(),
        new_id=new_id,
    )


def id_in(text: str | None) -> UUID | None:
    """Give the id that a cookie or a field holds, None when it holds none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def asking_browser(visit: Visit) -> Browser:
    """Give the browser that asks for a code to the phone on a file."""
    shared = visit.shared
    return Browser(visit.form_cookie or "", visit.client_address, shared.codes_per_address, visit.language)


async def verdict_on(visit: Visit, challenge: str, code: str, *, purpose: str) -> Verdict:
    """Hold a code against the challenge of this id, if it was sent from this browser, and count the try."""
    challenge_id = id_in(challenge)
    if challenge_id is None:
        return Verdict(accepted=False, over=True)
    async with visit.shared.database.transaction() as session:
        return await answer(
            session,
            visit.shared.ring,
            challenge_id=challenge_id,
            purpose=purpose,
            code=code,
            now=utc_now(),
            bound_to=visit.form_cookie,
        )


class CodePages(NamedTuple):
    """The two pages for one purpose, at `phone` and at `code`.

    `signs_in` says that whoever gives the code may go on to the client at once. `question` is a box to tick beside the
    code; `notice_code` lets the first page take the code of a notice instead; `by_file` names the phone on a member
    file there, for accounts without one.
    """

    purpose: str
    title: str
    phone: str
    code: str
    signs_in: bool = False
    question: str | None = None
    notice_code: bool = False
    by_file: bool = False

    async def ask_phone(self, visit: Visited) -> Response:
        """Ask for the phone number."""
        return await self.phone_page(visit)

    async def send_code(self, visit: Visited, form: Form) -> Response:
        """Send a code, if the number is anybody's, and go on to the page that asks for it in either case."""
        if not is_ours(visit, form):
            return await self.phone_page(visit, FORM_EXPIRED)
        phone = normalised_phone(form.get("phone", ""))
        if phone is None:
            return await self.phone_page(visit, Notice("phone_unusable", 400))
        try:
            async with visit.shared.database.transaction() as session:
                account_id = await account_with(session, visit.shared.ring, phone)
                known = await is_known_to(session, visit.cookie(COOKIE), account_id, now=utc_now())
                challenge_id = await send_code(
                    session, visit, purpose=self.purpose, phone=phone, account_id=account_id, known_browser=known
                )
        except TooOften as error:
            return await self.phone_page(visit, Notice("codes_too_often", 429, error.retry_after_seconds))
        response = go_to(page_address(self.code, visit.parameters))
        set_cookie(response, visit.shared, CHALLENGE, str(challenge_id), max_age=_COOKIE_SECONDS)
        return response

    async def ask_code(self, visit: Visited) -> Response:
        """Ask for the code."""
        return await self._code_page(visit)

    async def verdict_on(self, visit: Visit, form: Parameters) -> Verdict | Response:
        """Hold the form's `code` against the challenge of this browser, which counts the try; or refuse the form."""
        if not is_ours(visit, form):
            return await self._code_page(visit, FORM_EXPIRED)
        return await verdict_on(visit, visit.cookie(CHALLENGE) or "", form.get("code", ""), purpose=self.purpose)

    async def refuse(self, visit: Visit, verdict: Verdict) -> Response:
        """Say that the code was wrong, or that no further try can be right."""
        _log.info("code_refused")
        return await self._code_page(visit, Notice("code_over" if verdict.over else "code_wrong", 400))

    async def phone_page(self, visit: Visit, notice: Notice = NOTHING) -> Response:
        """Render the page that asks for a phone number."""
        back = page_address(SIGN_IN, visit.parameters)
        by_file = page_address(OWN_ACCOUNT, visit.parameters) if self.by_file else None
        more = {"notice_code": self.notice_code, "by_file": by_file}
        return await self._show(visit, "code_phone", self.phone, notice, back=back, **more)

    async def _code_page(self, visit: Visit, notice: Notice = NOTHING) -> Response:
        again = page_address(self.phone, visit.parameters)
        return await self._show(
            visit, "code_answer", self.code, notice, sent="code_sent", again=again, question=self.question
        )

    async def _show(self, visit: Visit, template: str, address: str, notice: Notice, **values: object) -> Response:
        if self.signs_in:
            return await sign_in_form(visit, template, address=address, notice=notice, title=self.title, **values)
        return form_page(visit, template, address=address, notice=notice, title=self.title, **values)
