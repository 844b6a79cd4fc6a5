"""Token introspection (RFC 7662): what a token is worth, told to those who may ask."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from identity.clients.rules import still_registered
from identity.oauth.client_authentication import CONFIDENTIAL
from identity.oauth.client_endpoints import ERRORS, Asked, answer_client, form_of
from identity.oauth.tokens import ACCESS_TOKEN, access_token_holds, read_jwt, read_refresh_token, refresh_token_holds
from identity.shared import Shared
from webapi import access, described

router = APIRouter(tags=["sign-in"])

INTROSPECT = "/oauth2/introspect"
SCOPE = "introspect"
_CLAIMS = ("scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "acr", "auth_time", "act", "roles")
_INACTIVE = {"active": False}
_ANSWER = {
    "type": "object",
    "required": ["active"],
    "properties": {
        "active": {"type": "boolean"},
        "token_type": {"type": "string"},
        "scope": {"type": "string"},
        "client_id": {"type": "string"},
        "sub": {"type": "string"},
        "exp": {"type": "integer"},
    },
}


@router.post(
    INTROSPECT,
    response_model=None,
    responses={200: {"description": "The token.", "content": {"application/json": {"schema": _ANSWER}}}, **ERRORS},
    openapi_extra=form_of(["token"], token={"type": "string"}, token_type_hint={"type": "string"})
    | access("client")
    | described("查验令牌（RFC 7662）", "What a token is worth (RFC 7662)"),
)
async def introspect_token(request: Request, shared: Shared) -> Response:
    """Tell a confidential client about a token of its own; a service registered for it, about those for the services.

    Of a token that does not hold, is unknown or is none of its business it learns `{"active": false}` alone.
    """
    return await answer_client(request, shared, endpoint=INTROSPECT, methods=CONFIDENTIAL, act=_told)


async def _told(asked: Asked) -> dict[str, Any]:
    token = asked.parameters["token"]
    if token.count(".") == 2:
        return await _of_access_token(asked, token)
    return await _of_refresh_token(asked, token)


async def _of_access_token(asked: Asked, token: str) -> dict[str, Any]:
    claims = await asked.session.run_sync(read_jwt, token, types=ACCESS_TOKEN, parties=asked.parties, now=asked.now)
    if claims is None or not (_is_own(asked, claims["client_id"]) or _is_for_services(asked, claims["aud"])):
        return _INACTIVE
    if not await access_token_holds(asked.session, claims, now=asked.now):
        return _INACTIVE
    stated = {name: claims[name] for name in _CLAIMS if name in claims}
    return {"active": True, "token_type": "Bearer", **stated}


async def _of_refresh_token(asked: Asked, token: str) -> dict[str, Any]:
    read = await read_refresh_token(asked.session, token)
    if read is None or not _is_own(asked, read.family.client_id):
        return _INACTIVE
    if not await refresh_token_holds(asked.session, read, now=asked.now):
        return _INACTIVE
    return {
        "active": True,
        "scope": still_registered(read.family.scope, asked.client.scopes),
        "client_id": read.family.client_id,
        "sub": str(read.family.account_id),
        "iss": asked.parties.issuer,
        "iat": int(read.token.issued_at.timestamp()),
        "exp": int(read.family.expires_at.timestamp()),
    }


def _is_own(asked: Asked, client_id: str) -> bool:
    return client_id == asked.client.client_id


def _is_for_services(asked: Asked, audience: str | list[str]) -> bool:
    """Say whether the token is for the services, and the client is one that checks such tokens."""
    is_resource_server = asked.client.application_type == "service" and SCOPE in asked.client.scopes
    return is_resource_server and asked.parties.audience in ([audience] if isinstance(audience, str) else audience)
