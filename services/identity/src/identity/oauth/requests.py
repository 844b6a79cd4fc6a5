"""What authlib sees of an HTTP request: its parameters, already read and bounded, at the provider's public address."""

from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from starlette.requests import Request

from identity.oauth import rules

LARGEST_FORM = 16 * 1024
MOST_FIELDS = 50
FORM_TYPE = "application/x-www-form-urlencoded"

Parameters = dict[str, str]
"""Parameters by name; the few `resource`s a request may name are one value, separated by spaces, which no URI has."""


class Unreadable(Exception):
    """The request's parameters are malformed, repeated, too many or too long."""


def read_query(request: Request) -> Parameters:
    """Give the query's parameters. Raises `Unreadable`."""
    return _parse(bytes(request.scope["query_string"]))


async def read_form(request: Request) -> Parameters:
    """Give the parameters of a form in the body. Raises `Unreadable`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Unreadable
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise Unreadable
    return _parse(bytes(body))


def _parse(encoded: bytes) -> Parameters:
    if len(encoded) > LARGEST_FORM:
        raise Unreadable
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unreadable from None
    if not rules.acceptable(pairs):
        raise Unreadable
    parameters: Parameters = {}
    for name, value in pairs:
        if value:  # RFC 6749, 3.1: without a value is as if omitted
            parameters[name] = f"{parameters[name]} {value}" if name in parameters else value
    return parameters


class ProviderRequest(OAuth2Request):  # type: ignore[misc]  # authlib has no types
    """A request to one of the provider's endpoints.

    `uri` is the endpoint's public address: behind the gateway the request itself arrives in the clear, and authlib
    would refuse it.
    """

    def __init__(self, method: str, uri: str, parameters: Parameters, *, authorization: str | None = None) -> None:
        super().__init__(method, uri, headers={"Authorization": authorization} if authorization else {})
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def form(self) -> Parameters:
        """Give the parameters of the body."""
        parameters: Parameters = self.payload.data
        return parameters
