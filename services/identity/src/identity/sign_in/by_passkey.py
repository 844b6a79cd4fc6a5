"""Signing in with a passkey on a page. It alone runs a script of ours; without one it leads to the other ways."""

import json
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import resources

from fastapi import APIRouter
from starlette.responses import Response

from database import new_id, utc_now
from identity.factors.passkeys.ceremonies import PasskeyRefused, sent_answer, sign_in_options
from identity.factors.passkeys.commands import Answer, Used, begin_ceremony, usable_passkey, use_passkey
from identity.levels import acr_of, joined
from identity.pages.addresses import PASSKEY, PASSKEY_SCRIPT, SIGN_IN, page_address
from identity.pages.requests import Parameters
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visit, Visited, is_ours
from identity.secrets import new_secret
from identity.sessions.browser import Proven
from identity.sign_in.entry import enter, sign_in_form
from identity.throttling.addresses import counted_at
from identity.throttling.rates import TooOften, count
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
async def show_passkey(visit: Visited) -> Response:
    """Show the page with a challenge for this browser."""
    return await _page(visit)


@router.post(PASSKEY)
async def sign_in_by_passkey(visit: Visited, form: Form) -> Response:
    """Check what the device answered; then begin a session and go on, or say on the page that it is not good."""
    if not is_ours(visit, form):
        return await _page(visit, FORM_EXPIRED)
    used = await _used(visit, form, now=utc_now())
    entered = None
    if used is not None:
        amr = joined(["swk" if used.backup_eligible else "hwk", "user"])
        entered = await enter(visit, Proven(used.account_id, acr_of(amr), amr, usable_passkey(used.passkey_id)))
    if entered is None:
        _log.info("passkey_refused")
        return await _page(visit, Notice("passkey_wrong", 400))
    return entered


async def _used(visit: Visit, form: Parameters, *, now: datetime) -> Used | None:
    """Find whose passkey answered the challenge of this browser. The challenge is spent, whatever comes of it."""
    shared, language, used = visit.shared, visit.language, None
    async with shared.database.transaction() as session:
        with suppress(PasskeyRefused):
            answer = Answer(*sent_answer(form), visit.form_cookie or "")
            issuer = shared.parties.issuer
            used = await use_passkey(session, shared.ring, answer, issuer=issuer, language=language, now=now)
    if used is not None and used.copied:
        _log.warning("passkey_suspected", extra={"account_id": used.account_id, "passkey_id": used.passkey_id})
        return None
    return used


async def _page(visit: Visit, notice: Notice = NOTHING) -> Response:
    shared, now = visit.shared, utc_now()
    if visit.form_cookie is None:
        visit = visit._replace(form_cookie=new_secret())
    try:
        async with shared.database.transaction() as session:
            await count(session, counted_at(shared.ring, "passkeys", visit.client_address, PER_ADDRESS), now=now)
            bound_to = visit.form_cookie or ""
            begun = await begin_ceremony(session, account_id=None, bound_to=bound_to, new_id=new_id, now=now)
        ceremony, options = str(begun.ceremony_id), sign_in_options(shared.parties.issuer, challenge=begun.challenge)
    except TooOften:
        ceremony, options, notice = "", {}, Notice("busy", 429)
    return await sign_in_form(
        visit,
        "passkey",
        address=PASSKEY,
        notice=notice,
        script=True,
        ceremony=ceremony,
        options=json.dumps(options),
        source=PASSKEY_SCRIPT,
        other_way=page_address(SIGN_IN, visit.parameters),
    )
