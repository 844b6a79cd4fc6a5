"""The provider's endpoints but for tokens. They answer as OAuth 2 and OpenID Connect say, not with problem details."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import and_, select
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.accounts.tables import Identifier
from identity.clients.tables import Client
from identity.oauth.authorization import answer_to, decide_for
from identity.oauth.grants import person_claims
from identity.pages.html import language_of, refused
from identity.pages.requests import Unreadable, read_query
from identity.pages.visits import cookie_name
from identity.sessions.browser import person_at
from identity.sessions.tables import TokenFamily
from identity.shared import Shared
from identity.signing.keys import key_set
from webapi import AuthenticatedCaller, access, asks_for_token, caller_by, described

router = APIRouter(tags=["sign-in"])

_IS_USERNAME = Identifier.kind == "username"
_PUBLIC = {"Cache-Control": "public, max-age=300"}


@router.get(
    "/oauth2/jwks",
    openapi_extra=access("public") | described("签名公钥（RFC 7517）", "The keys that sign tokens (RFC 7517)"),
)
async def jwks(shared: Shared) -> Response:
    """Give the public keys by which every service checks tokens itself."""
    async with shared.database.read() as session:
        return JSONResponse(await key_set(session, now=utc_now()), headers=_PUBLIC)


@router.get("/oauth2/authorize", summary="Ask for an authorization code", status_code=303, include_in_schema=False)
async def authorize(request: Request, shared: Shared) -> Response:
    """Send a code to the client of a person who is signed in, or show the sign-in page."""
    now = utc_now()
    language = language_of(request.query_params.get("ui_locales"), request.headers.get("accept-language"))
    try:
        parameters = read_query(request)
    except Unreadable:
        return refused(language, "invalid_request")
    cookie = request.cookies.get(cookie_name("session", secure=shared.secure))
    async with shared.database.transaction() as session:
        person = await person_at(session, cookie, now=now)
        decision = await decide_for(shared, session, parameters, person, just_now=False, now=now)
    return answer_to(language, parameters, decision)


@asks_for_token("openid")
async def _caller_of_sign_in(request: Request, shared: Shared) -> AuthenticatedCaller:
    return await caller_by(shared.sign_in, request)


CallerOfSignIn = Annotated[AuthenticatedCaller, Depends(_caller_of_sign_in)]
"""Like `Caller`, by a token for the provider alone too."""


@router.get(
    "/oauth2/userinfo",
    openapi_extra=access("self")
    | described("当前登录者（OpenID Connect Core 5.3）", "Who is signed in (OpenID Connect Core 5.3)"),
)
@router.post("/oauth2/userinfo", name="userinfo_by_post", include_in_schema=False)
async def userinfo(shared: Shared, caller: CallerOfSignIn) -> Response:
    """Give the claims that the token's scope asks for, while the token's family lives and its client is active."""
    family_id = UUID(caller.principal.session_id)
    async with shared.database.read() as session:
        row = (
            await session.execute(
                select(TokenFamily.revoked_at, Identifier.plain)
                .outerjoin(Identifier, and_(Identifier.account_id == TokenFamily.account_id, _IS_USERNAME))
                .join(Client, and_(Client.client_id == TokenFamily.client_id, Client.status == "active"))
                .where(TokenFamily.family_id == family_id)
            )
        ).one_or_none()
    if row is None or row.revoked_at is not None:
        return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    claims = person_claims(str(caller.person_id), row.plain, caller.principal.scope)
    return JSONResponse(claims, headers={"Cache-Control": "no-store"})
