"""Signing in and out on a page. Each is a plain form: it works without script and on the oldest phone."""

import logging

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from database import new_id, utc_now
from identity.accounts.passwords import TooManySignIns
from identity.oauth.authorization import Decision, Redirect, Refused, SignInNeeded, decide_for
from identity.oauth.requests import Unreadable, read_form
from identity.pages.rendering import page, refused
from identity.pages.visits import Visit, cookie_name, form_page, is_ours, read_visit, set_cookie, unreadable
from identity.parts import IdentityParts, Parts
from identity.sign_in import commands

router = APIRouter(include_in_schema=False)

SIGN_OUT = "/oauth2/end-session"
_BUSY_SECONDS = "30"
_log = logging.getLogger(__name__)


@router.get("/sign-in")
async def show_sign_in(request: Request, parts: Parts) -> Response:
    """Show the sign-in page, for the client that sent the person here if one did."""
    try:
        visit = read_visit(request, parts)
    except Unreadable:
        return unreadable(request)
    if "client_id" in visit.parameters:
        return await _page_for_client(parts, visit)
    async with parts.database.read() as session:
        person = await commands.person_at(session, visit.session_cookie, now=utc_now())
    if person is not None:
        return page("signed_in", language=visit.language, address="/sign-in", parameters=visit.parameters)
    return _sign_in_page(parts, visit)


@router.post("/sign-in")
async def sign_in(request: Request, parts: Parts) -> Response:
    """Check the password; then begin a session and go on to the client, or say on the page what is wrong."""
    try:
        visit, form = read_visit(request, parts), await read_form(request)
    except Unreadable:
        return unreadable(request)
    if not is_ours(visit, form):
        return await _again(parts, visit, problem="form_expired", status=403)
    name, password = form.get("username", ""), form.get("password", "")
    try:
        proven = await commands.check_password(parts.database, parts.passwords, username=name, password=password)
    except TooManySignIns:
        response = await _again(parts, visit, problem="busy", status=503)
        response.headers["Retry-After"] = _BUSY_SECONDS
        return response
    if proven is None:
        _log.info("sign_in_refused")
        return await _again(parts, visit, problem="wrong", status=400)
    return await _welcome(parts, visit, proven)


async def _welcome(parts: IdentityParts, visit: Visit, proven: commands.Proven) -> Response:
    now = utc_now()
    decision: Decision | None = None
    async with parts.database.transaction() as session:
        person, cookie = await commands.begin_session(
            session, proven, session_id=new_id(), replacing=visit.session_cookie, now=now
        )
        if "client_id" in visit.parameters:
            decision = await decide_for(parts, session, visit.parameters, person, just_now=True, now=now)
    _log.info("signed_in", extra={"account_id": person.account_id, "session_id": person.session_id})
    response = _answer(parts, visit, decision) if decision else RedirectResponse("/sign-in", 303)
    set_cookie(response, parts, "session", cookie)
    return response


@router.get(SIGN_OUT)
async def show_sign_out(request: Request, parts: Parts) -> Response:
    """Ask whether to sign out: a link alone must not do it."""
    try:
        visit = read_visit(request, parts)
    except Unreadable:
        return unreadable(request)
    return form_page(parts, visit, "sign_out", address=SIGN_OUT)


@router.post(SIGN_OUT)
async def sign_out(request: Request, parts: Parts) -> Response:
    """End the browser's session and all tokens that came of it."""
    try:
        visit, form = read_visit(request, parts), await read_form(request)
    except Unreadable:
        return unreadable(request)
    if not is_ours(visit, form):
        return RedirectResponse(SIGN_OUT, 303)
    if visit.session_cookie is not None:
        async with parts.database.transaction() as session:
            ended = await commands.sign_out(session, visit.session_cookie, now=utc_now())
        _log.info("signed_out", extra={"session_id": ended})
    response = page("signed_out", language=visit.language, address="/sign-in", parameters={})
    response.delete_cookie(cookie_name("session", secure=parts.secure), secure=parts.secure, httponly=True)
    return response


async def _page_for_client(
    parts: IdentityParts, visit: Visit, *, problem: str | None = None, status: int = 200
) -> Response:
    async with parts.database.read() as session:
        decision = await decide_for(parts, session, visit.parameters, None, just_now=False, now=utc_now())
    return _answer(parts, visit, decision, problem=problem, status=status)


async def _again(parts: IdentityParts, visit: Visit, *, problem: str, status: int) -> Response:
    if "client_id" in visit.parameters:
        return await _page_for_client(parts, visit, problem=problem, status=status)
    return _sign_in_page(parts, visit, problem=problem, status=status)


def _answer(
    parts: IdentityParts, visit: Visit, decision: Decision, *, problem: str | None = None, status: int = 200
) -> Response:
    match decision:
        case Redirect(location):
            return RedirectResponse(location, 303, {"Cache-Control": "no-store"})
        case Refused(error):
            return refused(visit.language, error)
        case SignInNeeded():
            return _sign_in_page(parts, visit, needed=decision, problem=problem, status=status)


def _sign_in_page(
    parts: IdentityParts,
    visit: Visit,
    *,
    needed: SignInNeeded | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    client = None if needed is None else needed.name_en if visit.language == "en" else needed.name_zh
    target = None if needed is None else needed.target
    return form_page(
        parts, visit, "sign_in", address="/sign-in", status=status, target=target, client=client, problem=problem
    )
