"""What endpoints for clients alone share: read the form, let the client prove itself, answer as OAuth says."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.clients.tables import Client
from identity.oauth.errors import explained
from identity.oauth.requests import ProviderRequest
from identity.oauth.server import with_provider
from identity.pages.requests import FORM_TYPE, LARGEST_FORM, MOST_FIELDS, Parameters, Unreadable, read_form
from identity.shared import IdentityShared, TokenParties

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UNREADABLE = (
    f"The body is no {FORM_TYPE} of at most {LARGEST_FORM} bytes and {MOST_FIELDS} fields, or holds a parameter twice."
)
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "error_description": {"type": "string"},
        "error_uri": {"type": "string"},
    },
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": f"{meaning}, as RFC 6749 section 5.2 says.",
        "content": {"application/json": {"schema": ERROR}},
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


async def read_asked(request: Request, shared: IdentityShared, endpoint: str) -> ProviderRequest | Response:
    """Read what a client asks of an endpoint, as authlib takes it; gives the answer itself when it is unreadable."""
    try:
        parameters = await read_form(request)
    except Unreadable:
        said = {"error": "invalid_request", "error_description": UNREADABLE}
        return JSONResponse(explained(said, shared.parties.issuer), 400, NO_STORE)
    authorization, proofs = request.headers.get("authorization"), request.headers.getlist("dpop")
    address = f"{shared.parties.issuer}{endpoint}"
    return ProviderRequest("POST", address, parameters, authorization=authorization, proofs=proofs)


async def answer_client(
    request: Request,
    shared: IdentityShared,
    *,
    endpoint: str,
    methods: Sequence[str],
    act: Callable[[Asked], Awaitable[dict[str, Any]]],
) -> Response:
    """Answer a client with what `act` gives, or with the error it raises; what it wrote is committed either way."""
    now, asked = utc_now(), await read_asked(request, shared, endpoint)
    if isinstance(asked, Response):
        return asked
    async with shared.database.transaction() as session:
        try:
            client: Client = await with_provider(
                shared, session, lambda provider: provider.authenticate_client(asked, methods), now=now
            )
            if "token" not in asked.form:
                raise InvalidRequestError("A token is required.")
            return JSONResponse(await act(Asked(session, client, asked.form, shared.parties, now)), headers=NO_STORE)
        except OAuth2Error as error:
            status, body, headers = error(None)
            return JSONResponse(explained(body, shared.parties.issuer), status, dict(headers))
