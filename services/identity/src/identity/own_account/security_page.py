"""The page of one's own ways in: which there are, and the three that are added in a browser."""

import json
import logging
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic_core import PydanticCustomError
from sqlalchemy import func, select
from starlette.responses import Response

from database import new_id, utc_now
from identity.factors.ownership import Owner, is_owner_now
from identity.factors.passkeys import commands as passkeys
from identity.factors.passkeys.ceremonies import PasskeyRefused, sent_answer
from identity.factors.passkeys.schemas import LONGEST_NAME
from identity.factors.required import next_step, owned_by
from identity.factors.tables import FederatedIdentity, Passkey, RecoveryCode
from identity.factors.totp import commands as totp
from identity.factors.totp.commands import TotpNotPending
from identity.levels import FRESH_FOR_CREDENTIALS, SignedIn
from identity.pages.addresses import PASSKEY_SCRIPT, SECOND_FACTOR, SECURITY, SECURITY_PASSKEY, SECURITY_TOTP
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to
from identity.pages.requests import Parameters
from identity.pages.visits import NOTHING, Form, Notice, PageRoute, Visit, Visited, form_page, is_ours
from identity.phone_proofs.numbers import number_of
from identity.purposes.rules import PURPOSES
from identity.sessions.browser import person_at
from identity.throttling.rates import TooOften
from webapi.normal_forms import one_line

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_log = logging.getLogger(__name__)


class _Here(NamedTuple):
    """The owner at the browser, who proved it a moment ago."""

    visit: Visit
    person: SignedIn

    @property
    def owner(self) -> Owner:
        """The owner, and the page's language."""
        return Owner(self.person.account_id, self.visit.language)


@router.get(SECURITY)
async def show_security(visit: Visited) -> Response:
    """Show which ways in the account has."""
    here = await _here(visit)
    return here if isinstance(here, Response) else await _overview(here)


@router.post(SECURITY_TOTP)
async def set_up_totp(visit: Visited, form: Form) -> Response:
    """Show a new secret, or, when a code of it comes back, the recovery codes; each is shown this once."""
    here = await _here(visit, form)
    if isinstance(here, Response):
        return here
    now, shared = utc_now(), visit.shared
    if "code" in form:
        return await _confirm_totp(here, form["code"], now=now)
    async with shared.database.transaction() as session:
        begun = await totp.begin_totp(session, shared.ring, account_id=here.person.account_id, new_id=new_id, now=now)
    return form_page(visit, "security_totp", address=SECURITY_TOTP, secret=begun.secret, uri=begun.uri)


@router.get(SECURITY_PASSKEY)
async def show_new_passkey(visit: Visited) -> Response:
    """Show the page that makes a passkey; it runs the script of ours."""
    here = await _here(visit)
    return here if isinstance(here, Response) else await _passkey_page(here)


@router.post(SECURITY_PASSKEY)
async def keep_new_passkey(visit: Visited, form: Form) -> Response:
    """Keep the passkey that the device made; its challenge is spent, whatever comes of it."""
    here = await _here(visit, form)
    if isinstance(here, Response):
        return here
    shared, added = visit.shared, False
    try:
        name = one_line(form.get("name", ""))[:LONGEST_NAME] or "·"
    except PydanticCustomError:
        return await _passkey_page(here, Notice("passkey_name_unseen", 400))
    async with shared.database.transaction() as session:
        with suppress(PasskeyRefused, passkeys.TooManyPasskeys):
            await passkeys.add_passkey(
                session,
                shared.ring,
                here.owner,
                passkeys.Answer(*sent_answer(form), str(here.person.session_id)),
                issuer=shared.parties.issuer,
                transports=[],
                name=name,
                new_id=new_id,
                now=utc_now(),
            )
            added = True
    if added:
        return go_to(SECURITY)
    _log.info("passkey_refused", extra={"account_id": here.person.account_id})
    return await _passkey_page(here, Notice("passkey_add_wrong", 400))


async def _here(visit: Visit, form: Parameters | None = None) -> _Here | Response:
    """Find the owner; who is not here, or has not proved it of late, is sent to sign in and comes back."""
    now = utc_now()
    async with visit.shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or now - person.signed_in_at > FRESH_FOR_CREDENTIALS:
            return go_to(sign_in_before("security", visit.parameters))
        if not await is_owner_now(session, person, now=now):
            step = await next_step(session, person, "2", now=now)
            if step is not None and not step.reachable:
                return _one_thing_page(visit, person)
            stronger = urlencode({"next": "security", "acr_values": "2"})
            return go_to(f"{SECOND_FACTOR}?{stronger}")
    if form is not None and not is_ours(visit, form):
        return go_to(SECURITY)
    return _Here(visit, person)


async def _overview(here: _Here) -> Response:
    mine, shared = here.person.account_id, here.visit.shared
    counted = (
        select(func.count()).where(RecoveryCode.account_id == mine, RecoveryCode.used_at.is_(None)).scalar_subquery(),
        select(func.count()).where(Passkey.account_id == mine).scalar_subquery(),
        select(func.count()).where(FederatedIdentity.account_id == mine).scalar_subquery(),
    )
    asked = PURPOSES["wechat"]
    async with shared.database.read() as session:
        owned = await owned_by(session, mine, now=utc_now())
        codes_left, passkeys_there, linked = (await session.execute(select(*counted))).one()
    return form_page(
        here.visit,
        "security",
        address=SECURITY,
        target=shared.wechat.source if shared.wechat else None,
        owned=owned,
        codes_left=codes_left,
        passkeys=passkeys_there,
        wechat_linked=bool(linked),
        wechat_offered=shared.wechat is not None,
        wechat_text=asked.en if here.visit.language == "en" else asked.zh,
        wechat_text_version=asked.version,
    )


def _one_thing_page(visit: Visit, person: SignedIn) -> Response:
    """Say why nothing is added yet, to who came by a phone alone, and show the number that an officer enters."""
    number = number_of(visit.shared.ring, person.session_id)
    return form_page(visit, "security_one_thing", address=SECURITY, number=f"{number[:4]} {number[4:]}")


async def _confirm_totp(here: _Here, code: str, *, now: datetime) -> Response:
    visit, shared, notice, codes = here.visit, here.visit.shared, Notice("factor_wrong", 400), None
    try:
        async with shared.database.transaction() as session:
            codes = await totp.confirm_totp(session, shared.ring, here.owner, code=code, now=now)
    except TotpNotPending:
        return go_to(SECURITY)
    except TooOften:
        notice = Notice("busy", 400)
    if codes is None:
        return form_page(visit, "security_totp", address=SECURITY_TOTP, notice=notice, secret=None, uri=None)
    again = SECOND_FACTOR + "?" + urlencode({"next": "security"})
    return form_page(visit, "recovery_codes", address=SECURITY, codes=codes, onward=again)


async def _passkey_page(here: _Here, notice: Notice = NOTHING) -> Response:
    issuer = here.visit.shared.parties.issuer
    async with here.visit.shared.database.transaction() as session:
        ceremony_id, options = await passkeys.begin_registration(
            session,
            issuer=issuer,
            account_id=here.person.account_id,
            bound_to=str(here.person.session_id),
            new_id=new_id,
            now=utc_now(),
        )
    return form_page(
        here.visit,
        "security_passkey",
        address=SECURITY_PASSKEY,
        notice=notice,
        script=True,
        ceremony=str(ceremony_id),
        options=json.dumps(options),
        source=PASSKEY_SCRIPT,
        other_way=SECURITY,
    )
