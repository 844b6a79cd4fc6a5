"""The provider's endpoints that depend on which grants there are: its description, and the one that gives tokens."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.oauth.client_endpoints import ERRORS, NO_STORE, form_of
from identity.oauth.discovery import discovery_document
from identity.oauth.provider import Answer
from identity.oauth.requests import ProviderRequest
from identity.oauth.server import Grant, provider_with
from identity.pages.requests import Unreadable, read_form
from identity.pages.rules import MOST_REPEATED
from identity.shared import IdentityShared, Shared
from webapi import access


def token_routes(grants: Sequence[Grant]) -> APIRouter:
    """Give the routes of a provider that knows these grants."""
    router = APIRouter(tags=["sign-in"])
    grant_types = [grant.kind.GRANT_TYPE for grant in grants]
    form = form_of(
        ["grant_type"],
        grant_type={"type": "string", "enum": grant_types},
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
    async def discovery(shared: Shared) -> Response:
        """Describe the provider: its endpoints, and what it supports."""
        document = discovery_document(shared.parties.issuer, grant_types)
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=300"})

    @router.post(
        "/oauth2/token",
        summary="Redeem a code or a refresh token (RFC 6749)",
        responses=ERRORS,
        openapi_extra=form | access("client"),
    )
    async def token(request: Request, shared: Shared) -> Response:
        """Give an access token. What a replay ends is committed although the answer is a refusal."""
        try:
            parameters = await read_form(request)
        except Unreadable:
            return JSONResponse({"error": "invalid_request"}, 400, NO_STORE)
        authorization, uri = request.headers.get("authorization"), f"{shared.parties.issuer}/oauth2/token"
        answer = await _answer(shared, grants, ProviderRequest("POST", uri, parameters, authorization=authorization))
        return JSONResponse(answer.body, answer.status, answer.headers)

    return router


async def _answer(shared: IdentityShared, grants: Sequence[Grant], asked: ProviderRequest) -> Answer:
    now = utc_now()
    async with shared.database.transaction() as session:
        signer = await shared.keys.signer(session)

        def run(sync: Session) -> Answer:
            provider = provider_with(grants, sync, parties=shared.parties, signer=signer, now=now)
            answer: Answer = provider.create_token_response(asked)
            return answer

        return await session.run_sync(run)
