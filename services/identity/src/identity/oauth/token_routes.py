"""The provider's endpoints that depend on which grants there are: its description, and the one that gives tokens."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.oauth.client_endpoints import ERRORS, form_of, read_asked
from identity.oauth.discovery import discovery_document
from identity.oauth.proofs import LONGEST_PROOF
from identity.oauth.provider import Answer
from identity.oauth.server import Grant, with_provider
from identity.pages.rules import MOST_REPEATED
from identity.shared import Shared
from webapi import access, described

_PROOF = {
    "name": "DPoP",
    "in": "header",
    "description": "A proof of a key (RFC 9449), to which the refresh tokens of a public client are then bound.",
    "schema": {"type": "string", "maxLength": LONGEST_PROOF},
}


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
        openapi_extra=access("public") | described("OpenID Connect 发现文档", "OpenID Connect discovery"),
    )
    @router.get(
        "/.well-known/oauth-authorization-server",
        name="authorization_server_metadata",
        openapi_extra=access("public")
        | described("授权服务器元数据（RFC 8414）", "Authorization server metadata (RFC 8414)"),
    )
    async def discovery(shared: Shared) -> Response:
        """Describe the provider: its endpoints, and what it supports."""
        document = discovery_document(shared.parties.issuer, grant_types)
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=300"})

    @router.post(
        "/oauth2/token",
        responses=ERRORS,
        openapi_extra=form
        | {"parameters": [_PROOF]}
        | access("client")
        | described("用授权码或刷新令牌换取令牌（RFC 6749）", "Redeem a code or a refresh token (RFC 6749)"),
    )
    async def token(request: Request, shared: Shared) -> Response:
        """Give an access token. What a replay ends is committed although the answer is a refusal."""
        asked = await read_asked(request, shared, "/oauth2/token")
        if isinstance(asked, Response):
            return asked
        async with shared.database.transaction() as session:
            answer: Answer = await with_provider(
                shared, session, lambda provider: provider.create_token_response(asked), grants=grants, now=utc_now()
            )
        return JSONResponse(answer.body, answer.status, answer.headers)

    return router
