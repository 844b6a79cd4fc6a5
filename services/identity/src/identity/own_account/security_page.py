"""The page of one's own ways in: which there are, and the three that are added in a browser."""

import json
import logging
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from database import new_id, utc_now
from identity.accounts.credentials import username_of
from identity.factors.ownership import is_owner_now, tell_owner
from identity.factors.passkeys import commands as passkeys
from identity.factors.passkeys.ceremonies import PasskeyRefused, registration_options, verified_registration
from identity.factors.required import owned_by
from identity.factors.tables import FederatedIdentity, Passkey, RecoveryCode
from identity.factors.totp import commands as totp
from identity.factors.totp.commands import TotpNotPending
from identity.levels import FRESH_FOR_CREDENTIALS, SignedIn
from identity.pages.addresses import PASSKEY_SCRIPT, SECOND_FACTOR, SECURITY, SECURITY_PASSKEY, SECURITY_TOTP
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to
from identity.pages.requests import Parameters, read_form
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.purposes.rules import PURPOSES
from identity.sessions.browser import person_at
from identity.shared import IdentityShared, Shared
from identity.throttling.rates import TooOften

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_LONGEST_NAME = 60
_log = logging.getLogger(__name__)


class _Here(NamedTuple):
    """The owner at the browser, who proved it a moment ago, and the form that was sent, if one was."""

    visit: Visit
    person: SignedIn
    form: Parameters


@router.get(SECURITY)
async def show_security(request: Request, shared: Shared) -> Response:
    """Show which ways in the account has."""
    here = await _here(request, shared)
    return here if isinstance(here, Response) else await _overview(shared, here)


@router.post(SECURITY_TOTP)
async def set_up_totp(request: Request, shared: Shared) -> Response:
    """Show a new secret, or, when a code of it comes back, the recovery codes; each is shown this once."""
    here = await _here(request, shared, sends_form=True)
    if isinstance(here, Response):
        return here
    now, account_id = utc_now(), here.person.account_id
    if "code" in here.form:
        return await _confirm_totp(shared, here, now=now)
    async with shared.database.transaction() as session:
        name = await _name_of(session, account_id)
        begun = await totp.begin_totp(
            session, shared.ring, account_id=account_id, account_name=name, new_id=new_id, now=now
        )
    return form_page(
        shared, here.visit, "security_totp", address=SECURITY_TOTP, secret=begun.secret, uri=begun.uri, problem=None
    )


@router.get(SECURITY_PASSKEY)
async def show_new_passkey(request: Request, shared: Shared) -> Response:
    """Show the page that makes a passkey; it runs the script of ours."""
    here = await _here(request, shared)
    return here if isinstance(here, Response) else await _passkey_page(shared, here)


@router.post(SECURITY_PASSKEY)
async def keep_new_passkey(request: Request, shared: Shared) -> Response:
    """Keep the passkey that the device made."""
    here = await _here(request, shared, sends_form=True)
    if isinstance(here, Response):
        return here
    try:
        await _add_passkey(shared, here, now=utc_now())
    except (PasskeyRefused, passkeys.TooManyPasskeys):
        _log.info("passkey_refused", extra={"account_id": here.person.account_id})
        return await _passkey_page(shared, here, problem="passkey_add_wrong", status=400)
    return go_to(SECURITY)


async def _here(request: Request, shared: IdentityShared, *, sends_form: bool = False) -> _Here | Response:
    """Find the owner; who is not here, or has not proved it of late, is sent to sign in and comes back."""
    visit = read_visit(request, shared)
    form = await read_form(request) if sends_form else {}
    now = utc_now()
    async with shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None or now - person.signed_in_at > FRESH_FOR_CREDENTIALS:
            return go_to(sign_in_before("security", visit.parameters))
        if not await is_owner_now(session, person, now=now):
            stronger = urlencode({"next": "security", "acr_values": "2"})
            return go_to(f"{SECOND_FACTOR}?{stronger}")
    if sends_form and not is_ours(visit, form):
        return go_to(SECURITY)
    return _Here(visit, person, form)


async def _overview(shared: IdentityShared, here: _Here) -> Response:
    mine = here.person.account_id
    counted = (
        select(func.count()).where(RecoveryCode.account_id == mine, RecoveryCode.used_at.is_(None)).scalar_subquery(),
        select(func.count()).where(Passkey.account_id == mine).scalar_subquery(),
        select(func.count()).where(FederatedIdentity.account_id == mine).scalar_subquery(),
    )
    asked = PURPOSES["wechat"]
    async with shared.database.read() as session:
        owned = await owned_by(session, mine)
        codes_left, passkeys_there, linked = (await session.execute(select(*counted))).one()
    return form_page(
        shared,
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


async def _confirm_totp(shared: IdentityShared, here: _Here, *, now: datetime) -> Response:
    visit, account_id = here.visit, here.person.account_id
    problem, codes = "factor_wrong", None
    try:
        async with shared.database.transaction() as session:
            codes = await totp.confirm_totp(
                session, shared.ring, account_id=account_id, code=here.form["code"], now=now
            )
            if codes is not None:
                await tell_owner(
                    session, shared.ring, account_id=account_id, change="totp.added", language=visit.language, now=now
                )
    except TotpNotPending:
        return go_to(SECURITY)
    except TooOften:
        problem = "busy"
    if codes is None:
        return form_page(
            shared, visit, "security_totp", address=SECURITY_TOTP, status=400, secret=None, uri=None, problem=problem
        )
    again = SECOND_FACTOR + "?" + urlencode({"next": "security"})
    return form_page(shared, visit, "recovery_codes", address=SECURITY, codes=codes, onward=again)


async def _passkey_page(
    shared: IdentityShared, here: _Here, *, problem: str | None = None, status: int = 200
) -> Response:
    account_id = here.person.account_id
    async with shared.database.transaction() as session:
        begun = await passkeys.begin_ceremony(
            session,
            purpose="registration",
            account_id=account_id,
            bound_to=str(here.person.session_id),
            new_id=new_id,
            now=utc_now(),
        )
        options = registration_options(
            shared.parties.issuer,
            challenge=begun.challenge,
            account_id=account_id,
            account_name=await _name_of(session, account_id),
            existing=await passkeys.existing_keys(session, account_id),
        )
    return form_page(
        shared,
        here.visit,
        "security_passkey",
        address=SECURITY_PASSKEY,
        status=status,
        script=True,
        problem=problem,
        ceremony=str(begun.ceremony_id),
        options=json.dumps(options),
        source=PASSKEY_SCRIPT,
        other_way=SECURITY,
    )


async def _add_passkey(shared: IdentityShared, here: _Here, *, now: datetime) -> None:
    """Raises `PasskeyRefused` and `TooManyPasskeys`; the challenge is spent all the same."""
    account_id, name = here.person.account_id, here.form.get("name", "").strip()[:_LONGEST_NAME]
    try:
        ceremony_id, credential = UUID(here.form["ceremony"]), json.loads(here.form["credential"])
    except (KeyError, ValueError) as error:
        raise PasskeyRefused from error
    async with shared.database.transaction() as session:
        challenge = await passkeys.end_ceremony(
            session,
            ceremony_id=ceremony_id,
            purpose="registration",
            account_id=account_id,
            bound_to=str(here.person.session_id),
            now=now,
        )
    if challenge is None or not isinstance(credential, dict):
        raise PasskeyRefused
    key = verified_registration(shared.parties.issuer, credential, challenge=challenge)
    async with shared.database.transaction() as session:
        passkey = await passkeys.add_passkey(
            session,
            shared.ring,
            passkey_id=new_id(),
            account_id=account_id,
            key=key,
            transports=[],
            name=name or "·",
            now=now,
        )
        await tell_owner(
            session,
            shared.ring,
            account_id=account_id,
            change="passkey.added",
            object_id=passkey.passkey_id,
            language=here.visit.language,
            now=now,
        )


async def _name_of(session: AsyncSession, account_id: UUID) -> str:
    return await username_of(session, account_id) or "·"
