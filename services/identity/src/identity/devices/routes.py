"""The endpoint at which a device asks for its codes (RFC 8628)."""

import logging
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from database import utc_now
from identity.devices.commands import count_asked
from identity.devices.grants import DeviceAuthorization
from identity.oauth.client_endpoints import ERROR, NO_STORE, read_asked
from identity.oauth.provider import Answer, Provider
from identity.oauth.server import with_provider
from identity.pages.requests import FORM_TYPE
from identity.shared import Shared
from identity.throttling.rates import TooOften
from webapi import access, described

router = APIRouter(tags=["sign-in"])

_log = logging.getLogger(__name__)

ENDPOINT = "/oauth2/device_authorization"
_CODES = {
    "type": "object",
    "required": ["device_code", "user_code", "verification_uri", "expires_in", "interval"],
    "properties": {
        "device_code": {"type": "string"},
        "user_code": {"type": "string"},
        "verification_uri": {"type": "string"},
        "verification_uri_complete": {"type": "string"},
        "expires_in": {"type": "integer"},
        "interval": {"type": "integer"},
    },
}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "client_id": {"type": "string"},
                        "scope": {"type": "string"},
                        "device_label": {"type": "string", "maxLength": 80, "description": "Where the device stands."},
                        "device_id": {
                            "type": "string",
                            "maxLength": 128,
                            "description": "Which of its client's shared terminals this is; always the same value.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    ENDPOINT,
    response_model=None,
    responses={
        200: {"description": "The codes.", "content": {"application/json": {"schema": _CODES}}},
        400: {"description": "Refused, as RFC 6749 says.", "content": {"application/json": {"schema": ERROR}}},
        401: {"description": "The client is not known.", "content": {"application/json": {"schema": ERROR}}},
        429: {"description": "Too many devices ask.", "content": {"application/json": {"schema": ERROR}}},
    },
    openapi_extra=_FORM
    | access("client")
    | described("申请设备码（RFC 8628）", "Ask for the codes of a device (RFC 8628)"),
)
async def authorize_device(request: Request, shared: Shared) -> Response:
    """Give the device a code to ask with, and one for a person to type on a page of ours."""
    asked, now = await read_asked(request, shared, ENDPOINT), utc_now()
    if isinstance(asked, Response):
        return asked

    def run(provider: Provider) -> Answer:
        provider.register_endpoint(DeviceAuthorization(provider, shared.ring))
        answer: Answer = provider.create_endpoint_response("device_authorization", asked)
        return answer

    try:
        async with shared.database.transaction() as session:
            answer = await with_provider(shared, session, run, now=now)
            if answer.status == HTTPStatus.OK:
                client_id, address = asked.client.client_id, shared.client_address(request)
                await count_asked(session, shared.ring, client_id=client_id, address=address, now=now)
    except TooOften as error:
        _log.info("device_codes_asked_too_often")
        headers = {**NO_STORE, "Retry-After": str(error.retry_after_seconds)}
        return JSONResponse({"error": "slow_down"}, 429, headers)
    return JSONResponse(answer.body, answer.status, answer.headers)
