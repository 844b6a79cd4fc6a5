"""What endpoints for clients alone share: read the form, let the client prove itself, answer as OAuth says."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.clients.tables import Client
from identity.oauth.provider import Provider
from identity.oauth.requests import ProviderRequest
from identity.pages.requests import FORM_TYPE, Parameters, Unreadable, read_form
from identity.shared import IdentityShared, TokenParties

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": f"{meaning}, as RFC 6749 section 5.2 says.",
        "content": {"application/json": {"schema": _ERROR}},
    }
    for status, meaning in ((400, "Refused"), (401, "The client did not prove itself"))
}
CLIENT_FIELDS: dict[str, Any] = {
    "client_id": {"type": "string"},
    "client_secret": {"type": "string"},
    "client_assertion_type": {"type": "string"},
    "client_assertion": {"type": "string"},
}


class Asked(NamedTuple):
    """A request of a client that proved itself, in the transaction in which it is answered."""

    session: AsyncSession
    client: Client
    parameters: Parameters
    parties: TokenParties
    now: datetime


def form_of(required: Sequence[str], **fields: dict[str, Any]) -> dict[str, Any]:
    """Describe the form of an endpoint for OpenAPI."""
    schema = {"type": "object", "required": list(required), "properties": {**fields, **CLIENT_FIELDS}}
    return {"requestBody": {"required": True, "content": {FORM_TYPE: {"schema": schema}}}}


async def answer_client(
    request: Request,
    shared: IdentityShared,
    *,
    endpoint: str,
    methods: Sequence[str],
    act: Callable[[Asked], Awaitable[dict[str, Any]]],
) -> Response:
    """Answer a client with what `act` gives, or with the error it raises; what it wrote is committed either way."""
    now = utc_now()
    try:
        parameters = await read_form(request)
    except Unreadable:
        return JSONResponse({"error": "invalid_request"}, 400, NO_STORE)
    authorization = request.headers.get("authorization")
    asked = ProviderRequest("POST", f"{shared.parties.issuer}{endpoint}", parameters, authorization=authorization)
    async with shared.database.transaction() as session:
        signer = await shared.keys.signer(session)

        def prove(sync: Session) -> Client:
            return Provider(sync, parties=shared.parties, signer=signer, now=now).authenticate_client(asked, methods)

        try:
            client = await session.run_sync(prove)
            if "token" not in parameters:
                raise InvalidRequestError("A token is required.")
            return JSONResponse(await act(Asked(session, client, parameters, shared.parties, now)), headers=NO_STORE)
        except OAuth2Error as error:
            status, body, headers = error(None)
            return JSONResponse(body, status, dict(headers))
