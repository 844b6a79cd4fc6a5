"""Pages of other origins that ask the API from a browser (CORS): those of registered clients, never with cookies.

What a browser demands is in the Fetch standard: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.forwarding.refusals import METHODS
from webapi.bounded_http import WHOLE
from webapi.problems import Problem, Refusal

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

ORIGIN: Final = "xiangqiao.origin"
"""In a scope: the other origin whose page asks."""
ORIGIN_NOT_REGISTERED: Final = Problem(
    403,
    "origin_not_registered",
    "This application is not registered with an address at the page's origin.",
    "该应用登记的地址中没有此网页来源。",
)
_ALLOWED: Final = (
    "accept, accept-language, authorization, content-type, dpop, idempotency-key, if-match, if-none-match, "
    "last-event-id, prefer"
)
_EXPOSED: Final = (
    "content-disposition, content-language, date, deprecation, dpop-nonce, etag, idempotency-replayed, link, "
    "location, ratelimit, ratelimit-policy, retry-after, sunset, www-authenticate, x-request-id"
)
_VARY: Final = (b"vary", b"origin")
_PREFLIGHT_HEADERS: Final = [
    (b"access-control-allow-methods", ", ".join(sorted(METHODS)).encode()),
    (b"access-control-allow-headers", _ALLOWED.encode()),
    (b"access-control-max-age", b"7200"),  # what browsers remember at most
]


class Asking(NamedTuple):
    """A request as the rule of origins sees it: the page's origin, None without one, and whether it asks before."""

    origin: str | None
    preflight: bool


_NOBODY: Final = Asking(None, preflight=False)


def asking(method: str, headers: Collection[tuple[bytes, bytes]], *, own: str) -> Asking:
    """Read a request's head; pages of `own` origin ask as anybody does."""
    origin, announced = None, False
    for name, value in headers:
        if name == b"origin":
            origin = value.decode("latin-1")
        elif name == b"access-control-request-method":
            announced = True
    if origin is None or origin == own:
        return _NOBODY
    return Asking(origin, preflight=announced and method == "OPTIONS")


async def answer_preflight(origin: str, send: Send, *, allowed: bool) -> None:
    """Tell a browser that a page of this origin may ask. Raises the 403 problem `origin_not_registered`."""
    if not allowed:
        raise Refusal(ORIGIN_NOT_REGISTERED, headers={"vary": "origin"})
    await send({"type": "http.response.start", "status": 204, "headers": [*_opening(origin), *_PREFLIGHT_HEADERS]})
    await send({"type": "http.response.body", "body": b""})


def opened(scope: Scope, send: Send, origin: str | None, *, allowed: bool) -> tuple[Scope, Send]:
    """Give the connection whose answers a page of `origin` may read, if it is `allowed` to; they vary by origin."""
    added = _opening(origin) if allowed and origin is not None else [_VARY]
    scope, send = adding(scope, send, added)
    return {**scope, ORIGIN: origin}, send


def adding(scope: Scope, send: Send, added: Sequence[tuple[bytes, bytes]]) -> tuple[Scope, Send]:
    """Give the connection whose answers have these header lines, too."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    extensions = dict(scope.get("extensions") or {})
    if (whole := extensions.get(WHOLE)) is not None:
        extensions[WHOLE] = lambda status, headers, body: whole(status, [*headers, *added], body)
    return {**scope, "extensions": extensions}, sending


def _opening(origin: str) -> Headers:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED.encode()),
        _VARY,
    ]
