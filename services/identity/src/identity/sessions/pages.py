"""The page on which a person sees where they are signed in, and ends it, without a front end and without script."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

import audit
from china_time import CHINA
from database import utc_now
from identity.levels import SignedIn
from identity.pages.addresses import page_address
from identity.pages.destinations import sign_in_before
from identity.pages.html import go_to
from identity.pages.requests import Parameters, Unreadable
from identity.pages.visits import FORM_EXPIRED, NOTHING, Form, Notice, PageRoute, Visit, Visited, form_page, is_ours
from identity.sessions.browser import person_at
from identity.sessions.commands import SessionUnknown, end_own_sessions, end_session
from identity.sessions.devices import device_label
from identity.sessions.queries import sessions_after
from webapi import PageRequest, Refusal

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PAGE = "/sign-in/sessions"
AT_ONCE = 20
_log = logging.getLogger(__name__)


@router.get(PAGE)
async def show_sessions(visit: Visited) -> Response:
    """List where the person is signed in, the latest sign-in first."""
    return await _page(visit, now=utc_now())


@router.post(PAGE)
async def end_sessions(visit: Visited, form: Form) -> Response:
    """End the session that the button names, or all but those of this browser, and show what is left."""
    now = utc_now()
    if not is_ours(visit, form):
        return await _page(visit, FORM_EXPIRED, now=now)
    async with visit.shared.database.transaction() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None:
            return _to_sign_in(visit)
        by = audit.Actor(actor=person.account_id)
        if form.get("end") == "others":
            await end_own_sessions(session, browser=person.session_id, by=by, now=now)
        else:
            try:
                await end_session(session, session_id=_id_of(form), by=by, now=now)
            except SessionUnknown as error:
                raise Unreadable from error
    _log.info("sessions_ended", extra={"account_id": by.actor})
    kept = {name: value for name, value in visit.parameters.items() if name == "ui_locales"}
    return go_to(page_address(PAGE, kept))


async def _page(visit: Visit, notice: Notice = NOTHING, *, now: datetime) -> Response:
    asked = PageRequest(AT_ONCE, visit.parameters.get("cursor"))
    async with visit.shared.database.read() as session:
        person = await person_at(session, visit.session_cookie, now=now)
        if person is None:
            return _to_sign_in(visit)
        try:
            chosen = sessions_after(asked, person.account_id, now=now)
        except Refusal as error:
            raise Unreadable from error
        rows = (await session.execute(chosen)).all()
    found = asked.of(rows, lambda row: (row.signed_in_at, row.session_id), lambda row: _shown(row, visit, person))
    older = found.next_cursor and page_address(PAGE, {**visit.parameters, "cursor": found.next_cursor})
    return form_page(
        visit,
        "sessions",
        address=PAGE,
        notice=notice,
        sessions=found.items,
        older=older,
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
