"""The provider's endpoints. They answer as OAuth 2 and OpenID Connect say, not with problem details."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, RedirectResponse, Response

from database import utc_now
from identity.accounts.tables import Identifier
from identity.oauth.authorization import (
    ConsentNeeded,
    Redirect,
    SignInNeeded,
    StepUpNeeded,
    consent_address,
    decide_for,
    sign_in_address,
    step_up_address,
)
from identity.oauth.client_endpoints import ERRORS, NO_STORE, form_of
from identity.oauth.discovery import discovery_document
from identity.oauth.grants import person_claims
from identity.oauth.provider import Answer
from identity.oauth.requests import ProviderRequest
from identity.oauth.serving import GRANT_TYPES, provider_with_grants
from identity.oauth.tables import Client, TokenFamily
from identity.pages.rendering import language_of, refused
from identity.pages.requests import Unreadable, read_form, read_query
from identity.pages.rules import MOST_REPEATED
from identity.pages.visits import cookie_name
from identity.parts import IdentityParts, Parts
from identity.sign_in.commands import person_at
from identity.signing.keys import key_set
from webapi import AuthenticatedCaller, access, asks_for_token, caller_by

router = APIRouter(tags=["sign-in"])

_IS_USERNAME = Identifier.kind == "username"
_PUBLIC = {"Cache-Control": "public, max-age=300"}
_TOKEN_FORM = form_of(
    ["grant_type"],
    grant_type={"type": "string", "enum": list(GRANT_TYPES)},
    code={"type": "string"},
    redirect_uri={"type": "string"},
    code_verifier={"type": "string"},
    refresh_token={"type": "string"},
    device_code={"type": "string"},
    scope={"type": "string"},
    resource={"type": "array", "maxItems": MOST_REPEATED, "items": {"type": "string"}},
)


@router.get(
    "/.well-known/openid-configuration",
    name="openid_configuration",
    summary="OpenID Connect discovery",
    openapi_extra=access("public"),
)
@router.get(
    "/.well-known/oauth-authorization-server",
    name="authorization_server_metadata",
    summary="Authorization server metadata (RFC 8414)",
    openapi_extra=access("public"),
)
async def discovery(parts: Parts) -> Response:
    """Describe the provider: its endpoints, and what it supports."""
    return JSONResponse(discovery_document(parts.place.issuer), headers=_PUBLIC)


@router.get("/oauth2/jwks", summary="The keys that sign tokens (RFC 7517)", openapi_extra=access("public"))
async def jwks(parts: Parts) -> Response:
    """Give the public keys by which every service checks tokens itself."""
    async with parts.database.read() as session:
        return JSONResponse(await key_set(session, now=utc_now()), headers=_PUBLIC)


@router.get("/oauth2/authorize", summary="Ask for an authorization code", status_code=303, include_in_schema=False)
async def authorize(request: Request, parts: Parts) -> Response:
    """Send a code to the client of a person who is signed in, or show the sign-in page."""
    now = utc_now()
    language = language_of(request.query_params.get("ui_locales"), request.headers.get("accept-language"))
    try:
        parameters = read_query(request)
    except Unreadable:
        return refused(language, "invalid_request")
    cookie = request.cookies.get(cookie_name("session", secure=parts.secure))
    async with parts.database.transaction() as session:
        person = await person_at(session, cookie, now=now)
        decision = await decide_for(parts, session, parameters, person, just_now=False, now=now)
    match decision:
        case Redirect(location):
            return RedirectResponse(location, 303, {"Cache-Control": "no-store"})
        case SignInNeeded():
            return RedirectResponse(sign_in_address(parameters), 303, {"Cache-Control": "no-store"})
        case StepUpNeeded(page=page):
            return RedirectResponse(step_up_address(page, parameters), 303, {"Cache-Control": "no-store"})
        case ConsentNeeded():
            return RedirectResponse(consent_address(parameters), 303, {"Cache-Control": "no-store"})
    return refused(language, decision.error)


@router.post(
    "/oauth2/token",
    summary="Redeem a code or a refresh token (RFC 6749)",
    responses=ERRORS,
    openapi_extra=_TOKEN_FORM | access("client"),
)
async def token(request: Request, parts: Parts) -> Response:
    """Give an access token. What a replay ends is committed although the answer is a refusal."""
    try:
        parameters = await read_form(request)
    except Unreadable:
        answer = Answer(400, {"error": "invalid_request"}, NO_STORE)
    else:
        authorization = request.headers.get("authorization")
        asked = ProviderRequest("POST", f"{parts.place.issuer}/oauth2/token", parameters, authorization=authorization)
        answer = await _token_answer(parts, asked)
    return JSONResponse(answer.body, answer.status, answer.headers)


async def _token_answer(parts: IdentityParts, asked: ProviderRequest) -> Answer:
    now = utc_now()
    async with parts.database.transaction() as session:
        signer = await parts.keys.signer(session)

        def run(sync: Session) -> Answer:
            provider = provider_with_grants(sync, place=parts.place, signer=signer, now=now)
            answer: Answer = provider.create_token_response(asked)
            return answer

        return await session.run_sync(run)


@asks_for_token("openid")
async def _caller_of_sign_in(request: Request, parts: Parts) -> AuthenticatedCaller:
    return await caller_by(parts.sign_in, request)


CallerOfSignIn = Annotated[AuthenticatedCaller, Depends(_caller_of_sign_in)]
"""Like `Caller`, by a token for the provider alone too."""


@router.get("/oauth2/userinfo", summary="Who is signed in (OpenID Connect Core 5.3)", openapi_extra=access("self"))
@router.post("/oauth2/userinfo", name="userinfo_by_post", include_in_schema=False)
async def userinfo(parts: Parts, caller: CallerOfSignIn) -> Response:
    """Give the claims that the token's scope asks for, while the token's family lives and its client is active."""
    family_id = UUID(caller.principal.session_id)
    async with parts.database.read() as session:
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
