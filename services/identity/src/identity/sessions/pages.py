"""The page on which a person sees where they are signed in, and ends it, without a front end and without script."""

import logging
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

import audit
from china_time import CHINA
from database import utc_now
from identity.levels import SignedIn
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to
from identity.pages.requests import Parameters, Unreadable, read_form
from identity.pages.visits import PageRoute, Visit, form_page, is_ours, read_visit
from identity.sessions.browser import person_at
from identity.sessions.commands import SessionUnknown, end_session, end_sessions_elsewhere
from identity.sessions.devices import device_label
from identity.sessions.queries import sessions_after
from identity.shared import IdentityShared, Shared
from webapi import PageRequest, Refusal

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PAGE = "/sign-in/sessions"
AT_ONCE = 20
_log = logging.getLogger(__name__)


@router.get(PAGE)
async def show_sessions(request: Request, shared: Shared) -> Response:
    """List where the person is signed in, the latest sign-in first."""
    visit = read_visit(request, shared)
    return await _page(shared, visit, now=utc_now())


@router.post(PAGE)
async def end_sessions(request: Request, shared: Shared) -> Response:
    """End the session that the button names, or all but those of this browser, and show what is left."""
    visit, form = read_visit(request, shared), await read_form(request)
    now = utc_now()
    if not is_ours(visit, form):
        return await _page(shared, visit, now=now, problem="form_expired", status=403)
    async with shared.database.transaction() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None:
            return _to_sign_in(visit)
        by = audit.Actor(actor=person.account_id)
        if form.get("end") == "others":
            await end_sessions_elsewhere(session, browser=person.session_id, by=by, now=now)
        else:
            try:
                await end_session(session, session_id=_id_of(form), by=by, now=now)
            except SessionUnknown as error:
                raise Unreadable from error
    _log.info("sessions_ended", extra={"account_id": by.actor})
    kept = {name: value for name, value in visit.parameters.items() if name == "ui_locales"}
    return go_to(f"{PAGE}?{urlencode(kept)}" if kept else PAGE)


async def _page(
    shared: IdentityShared, visit: Visit, *, now: datetime, problem: str | None = None, status: int = 200
) -> Response:
    asked = PageRequest(AT_ONCE, visit.parameters.get("cursor"))
    async with shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None:
            return _to_sign_in(visit)
        try:
            chosen = sessions_after(asked, person.account_id, now=now)
        except Refusal as error:
            raise Unreadable from error
        rows = (await session.execute(chosen)).all()
    found = asked.of(rows, lambda row: (row.signed_in_at, row.session_id), lambda row: _shown(row, visit, person))
    older = {**visit.parameters, "cursor": found.next_cursor}
    return form_page(
        shared,
        visit,
        "sessions",
        address=PAGE,
        status=status,
        problem=problem,
        sessions=found.items,
        older=f"{PAGE}?{urlencode(older)}" if found.next_cursor else None,
    )


def _shown(row: Any, visit: Visit, person: SignedIn) -> dict[str, Any]:
    return {
        "id": str(row.session_id),
        "client": row.name_en if visit.language == "en" else row.name_zh,
        "device": device_label(row.device, visit.language),
        "since": _time(row.signed_in_at),
        "last_seen": _time(row.last_seen_at),
        "here": row.browser_session_id == person.session_id,
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _id_of(form: Parameters) -> UUID:
    try:
        return UUID(form["end"])
    except (KeyError, ValueError) as error:
        raise Unreadable from error


def _to_sign_in(visit: Visit) -> Response:
    return go_to(sign_in_before("sessions", visit.parameters))
