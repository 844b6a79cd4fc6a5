"""What an HTTP request asks for: the parameters of its query or form, read and bounded."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from identity.pages.rules import acceptable, without_controls

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


async def read_typed_form(request: Request) -> Parameters:
    """Give what a person typed into a form of ours, without the tabs and other controls that come by pasting.

    Raises `Unreadable` for the rest of what `read_form` does.
    """
    return _parse(await _body(request), typed=True)


async def read_form(request: Request) -> Parameters:
    """Give the parameters of a form in the body. Raises `Unreadable`."""
    return _parse(await _body(request))


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Unreadable
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise Unreadable
    return bytes(body)


def _parse(encoded: bytes, *, typed: bool = False) -> Parameters:
    if len(encoded) > LARGEST_FORM:
        raise Unreadable
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unreadable from None
    if typed:
        pairs = [(name, without_controls(value)) for name, value in pairs]
    if not acceptable(pairs):
        raise Unreadable
    parameters: Parameters = {}
    for name, value in pairs:
        if value:  # RFC 6749, 3.1: without a value is as if omitted
            parameters[name] = f"{parameters[name]} {value}" if name in parameters else value
    return parameters
