"""Signing in with a passkey on a page. It alone runs a script of ours; without one it leads to the other ways."""

import json
import logging
from datetime import datetime, timedelta
from importlib import resources
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import new_id, utc_now
from identity.factors.ownership import tell_owner
from identity.factors.passkeys.ceremonies import JSON, PasskeyRefused, sign_in_options
from identity.factors.passkeys.commands import Used, begin_ceremony, end_ceremony, usable_passkey, use_passkey
from identity.levels import acr_of, joined
from identity.pages.addresses import PASSKEY, PASSKEY_SCRIPT, SIGN_IN, page_address
from identity.pages.requests import Parameters, read_form
from identity.pages.visits import PageRoute, Visit, is_ours, read_visit
from identity.secrets import new_secret
from identity.sessions.browser import Proven
from identity.shared import IdentityShared, Shared
from identity.sign_in.entry import enter, sign_in_form
from identity.throttling.rates import TooOften, count, subject_of
from identity.throttling.rules import Limit

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PER_ADDRESS = Limit(600, timedelta(hours=1))
"""Challenges an address may ask for; a whole village may stand behind one."""
_SCRIPT = (resources.files("identity.factors.passkeys") / "passkey.js").read_bytes()
_log = logging.getLogger(__name__)


@router.get(PASSKEY_SCRIPT)
async def script() -> Response:
    """Give the script that speaks to the device."""
    return Response(_SCRIPT, media_type="text/javascript", headers={"Cache-Control": "public, max-age=300"})


@router.get(PASSKEY)
async def show_passkey(request: Request, shared: Shared) -> Response:
    """Show the page with a challenge for this browser."""
    visit = read_visit(request, shared)
    return await _page(request, shared, visit)


@router.post(PASSKEY)
async def sign_in_by_passkey(request: Request, shared: Shared) -> Response:
    """Check what the device answered; then begin a session and go on, or say on the page that it is not good."""
    visit, form = read_visit(request, shared), await read_form(request)
    if not is_ours(visit, form):
        return await _page(request, shared, visit, problem="form_expired", status=403)
    used = await _used(shared, visit, form, now=utc_now())
    entered = None
    if used is not None:
        amr = joined(["swk" if used.backup_eligible else "hwk", "user"])
        proven = Proven(used.account_id, acr_of(amr), amr, usable_passkey(used.passkey_id))
        entered = await enter(request, shared, visit, proven)
    if entered is None:
        _log.info("passkey_refused")
        return await _page(request, shared, visit, problem="passkey_wrong", status=400)
    return entered


async def _used(shared: IdentityShared, visit: Visit, form: Parameters, *, now: datetime) -> Used | None:
    """Find whose passkey answered the challenge of this browser. The challenge is spent, whatever comes of it."""
    try:
        ceremony_id, credential = UUID(form["ceremony"]), _read(form["credential"])
    except (KeyError, ValueError):
        return None
    async with shared.database.transaction() as session:
        challenge = await end_ceremony(
            session,
            ceremony_id=ceremony_id,
            purpose="sign_in",
            account_id=None,
            bound_to=visit.form_cookie or "",
            now=now,
        )
    if challenge is None:
        return None
    try:
        async with shared.database.transaction() as session:
            issuer = shared.parties.issuer
            used = await use_passkey(session, issuer=issuer, credential=credential, challenge=challenge, now=now)
            if used.copied:
                await tell_owner(
                    session,
                    shared.ring,
                    account_id=used.account_id,
                    change="passkey.suspected",
                    object_id=used.passkey_id,
                    language=visit.language,
                    now=now,
                )
    except PasskeyRefused:
        return None
    if used.copied:
        _log.warning("passkey_suspected", extra={"account_id": used.account_id, "passkey_id": used.passkey_id})
        return None
    return used


def _read(text: str) -> JSON:
    """Read the browser's answer. Raises `ValueError`."""
    credential = json.loads(text)
    if not isinstance(credential, dict):
        raise ValueError("a credential is an object")  # noqa: TRY004 - one error for whatever is no credential
    return credential


async def _page(
    request: Request, shared: IdentityShared, visit: Visit, *, problem: str | None = None, status: int = 200
) -> Response:
    now = utc_now()
    if visit.form_cookie is None:
        visit = visit._replace(form_cookie=new_secret())
    try:
        async with shared.database.transaction() as session:
            client_address = subject_of(shared.ring, "passkeys.address", shared.client_address(request))
            await count(session, [(client_address, PER_ADDRESS)], now=now)
            begun = await begin_ceremony(
                session, purpose="sign_in", account_id=None, bound_to=visit.form_cookie or "", new_id=new_id, now=now
            )
        ceremony, options = str(begun.ceremony_id), sign_in_options(shared.parties.issuer, challenge=begun.challenge)
    except TooOften:
        ceremony, options, problem, status = "", {}, "busy", 429
    return await sign_in_form(
        shared,
        visit,
        "passkey",
        address=PASSKEY,
        now=now,
        status=status,
        script=True,
        problem=problem,
        ceremony=ceremony,
        options=json.dumps(options),
        source=PASSKEY_SCRIPT,
        other_way=page_address(SIGN_IN, visit.parameters),
    )
