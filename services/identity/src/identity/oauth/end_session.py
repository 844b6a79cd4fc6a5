"""Signing out, as the person asks by a page of ours or as a client asks for them (RP-Initiated Logout 1.0)."""

import logging
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from authlib.common.urls import add_params_to_uri
from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from database import utc_now
from identity.clients.tables import Client
from identity.oauth.authorization import source_expression
from identity.oauth.tokens import ID_TOKEN, read_jwt
from identity.pages.addresses import page_address
from identity.pages.html import go_to, page, refused
from identity.pages.requests import Parameters
from identity.pages.visits import Form, PageRoute, Visit, Visited, cookie_name, form_page, is_ours
from identity.sessions.browser import person_leaving_at, sign_out
from identity.sessions.tables import TokenFamily
from identity.shared import TokenParties

router = APIRouter(include_in_schema=False, route_class=PageRoute)

END_SESSION = "/oauth2/end-session"
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")
_log = logging.getLogger(__name__)


class NotAcceptable(Exception):
    """The client's request cannot be trusted, so nothing is done and nobody is sent anywhere."""


class Wish(NamedTuple):
    """What a client asks for: the address to come back to, and the browser session that its ID token came of."""

    back: str | None
    session_id: UUID | None


@router.get(END_SESSION)
async def show_sign_out(visit: Visited) -> Response:
    """Ask the person whether to sign out, unless the client shows an ID token that came of this very session."""
    now, shared = utc_now(), visit.shared
    try:
        async with shared.database.read() as session:
            wish = await read_wish(session, visit.parameters, shared.parties, now=now)
            person = await person_leaving_at(session, visit.session_cookie, now=now)
    except NotAcceptable:
        return refused(visit.language, "invalid_request")
    if person is None and wish.back is not None:
        return go_to(wish.back)
    if person is not None and wish.session_id == person.session_id:
        return await _signed_out(visit, wish, now=now)
    target = None if wish.back is None else source_expression(wish.back)
    return form_page(visit, "sign_out", address=END_SESSION, target=target)


@router.post(END_SESSION)
async def confirm_sign_out(visit: Visited, form: Form) -> Response:
    """End the browser's session when our own page asks for it; what a client posts is asked about first."""
    now, shared = utc_now(), visit.shared
    if not is_ours(visit, form):
        asked = {name: value for name, value in {**visit.parameters, **form}.items() if name in _PARAMETERS}
        return go_to(page_address(END_SESSION, asked))
    try:
        async with shared.database.read() as session:
            wish = await read_wish(session, visit.parameters, shared.parties, now=now)
    except NotAcceptable:
        return refused(visit.language, "invalid_request")
    return await _signed_out(visit, wish, now=now)


async def read_wish(session: AsyncSession, parameters: Parameters, parties: TokenParties, *, now: datetime) -> Wish:
    """Read what a client asks for. Raises `NotAcceptable`.

    An ID token that has expired is good enough, as the specification says; one that we did not sign is not.
    """
    claims, client_id, session_id = None, parameters.get("client_id"), None
    if hint := parameters.get("id_token_hint"):
        claims = await session.run_sync(read_jwt, hint, types=ID_TOKEN, parties=parties, now=now, any_key=True)
        if claims is None or claims["aud"] != [client_id or claims["aud"][0]]:
            raise NotAcceptable
        client_id = claims["aud"][0]
        of_family = select(TokenFamily.session_id).where(TokenFamily.family_id == UUID(claims["sid"]))
        session_id = await session.scalar(of_family)
    client = None if client_id is None else await session.get(Client, client_id)
    if client_id is not None and (client is None or client.status not in {"active", "suspended"}):
        raise NotAcceptable
    back = parameters.get("post_logout_redirect_uri")
    if back is None:
        return Wish(None, session_id)
    if client is None or back not in client.post_logout_redirect_uris:
        raise NotAcceptable
    state = parameters.get("state")
    return Wish(back if state is None else add_params_to_uri(back, [("state", state)]), session_id)


async def _signed_out(visit: Visit, wish: Wish, *, now: datetime) -> Response:
    """End the session and all tokens that came of it, and let the browser forget it."""
    if visit.session_cookie is not None:
        async with visit.shared.database.transaction() as session:
            ended = await sign_out(session, visit.session_cookie, now=now)
        _log.info("signed_out", extra={"session_id": ended})
    response: Response
    if wish.back is not None:
        response = go_to(wish.back)
    else:
        response = page("signed_out", language=visit.language, address="/sign-in", parameters={})
    secure = visit.shared.secure
    response.delete_cookie(cookie_name("session", secure=secure), secure=secure, httponly=True)
    return response
