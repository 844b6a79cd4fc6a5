"""Token revocation (RFC 7009): a client gives up a token, and with it everything that came of the same sign-in."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidGrantError
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.identity import SessionRevokedV1
from database import insert_new
from identity.oauth.client_authentication import METHODS
from identity.oauth.client_endpoints import ERRORS, Asked, answer_client, form_of
from identity.oauth.tables import RevokedClientToken
from identity.oauth.tokens import ACCESS_TOKEN, read_jwt, read_refresh_token
from identity.sessions.revocation import revoke_families
from identity.sessions.tables import TokenFamily
from identity.shared import Shared
from messaging import Publication, append
from webapi import access, described

router = APIRouter(tags=["sign-in"])

REVOKE = "/oauth2/revoke"
_DONE: dict[str, Any] = {}


@router.post(
    REVOKE,
    response_model=None,
    responses={
        200: {"description": "It holds no more.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **ERRORS,
    },
    openapi_extra=form_of(["token"], token={"type": "string"}, token_type_hint={"type": "string"})
    | access("client")
    | described("撤销令牌（RFC 7009）", "Give up a token (RFC 7009)"),
)
async def revoke_token(request: Request, shared: Shared) -> Response:
    """End the family of a refresh or access token of the client's own; a token that is unknown is no error."""
    return await answer_client(request, shared, endpoint=REVOKE, methods=METHODS, act=_given_up)


async def _given_up(asked: Asked) -> dict[str, Any]:
    token = asked.parameters["token"]
    if token.count(".") == 2:
        await _end_access_token(asked, token)
        return _DONE
    read = await read_refresh_token(asked.session, token)
    if read is not None:
        _require_own(asked, read.family.client_id)
        await _end_family(asked, read.family.family_id)
    return _DONE


async def _end_access_token(asked: Asked, token: str) -> None:
    claims = await asked.session.run_sync(read_jwt, token, types=ACCESS_TOKEN, parties=asked.parties, now=asked.now)
    if claims is None or claims["exp"] <= asked.now.timestamp():
        return
    _require_own(asked, claims["client_id"])
    session_id = UUID(claims["sid"])
    if claims["sub"] != str(asked.client.principal_id):
        await _end_family(asked, session_id)
        return
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if await insert_new(asked.session, RevokedClientToken, {"session_id": session_id, "expires_at": expires_at}):
        event = SessionRevokedV1(session_id=session_id)
        await append(asked.session, [Publication(event, version=1)])


async def _end_family(asked: Asked, family_id: UUID) -> None:
    this = TokenFamily.family_id == family_id
    await revoke_families(asked.session, this, reason="revoked_by_client", now=asked.now)


def _require_own(asked: Asked, client_id: str) -> None:
    if client_id != asked.client.client_id:
        raise InvalidGrantError("The token was given to another client.")
