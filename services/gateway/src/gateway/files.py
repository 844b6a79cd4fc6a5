"""Files that are served as they are, and as gzip where that is worth it: entity tags, 304, who may have which."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from starlette.types import Message, Receive, Send

from gateway.edge.compression import accepted, is_worth_it, packed
from webapi.languages import language_of
from webapi.problems import METHOD_NOT_ALLOWED, Refusal, problem_response
from webapi.versions import tags_in

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REVALIDATE: Final = "no-cache"
DAY: Final = "public, max-age=86400"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""Of what is named by its content."""
PLAIN: Final = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


class File(NamedTuple):
    """Something that is served as it is, and as gzip where that is worth it."""

    body: bytes
    headers: Mapping[str, str]
    packed: bytes = b""

    def for_reader(self, headers: Sequence[tuple[bytes, bytes]]) -> "File":
        """Give the representation that the headers of a request ask for; each has an entity tag of its own."""
        if not self.packed:
            return self
        shown = {**self.headers, "vary": ", ".join(filter(None, (self.headers.get("vary"), "accept-encoding")))}
        if not accepted(b",".join(value for name, value in headers if name == b"accept-encoding")):
            return File(self.body, shown)
        return File(self.packed, {**shown, "content-encoding": "gzip", "etag": f'{shown["etag"][:-1]}-gzip"'})


def file_of(name: str, body: bytes, *, cache: str = REVALIDATE, headers: Mapping[str, str] | None = None) -> File:
    """Make a file of the type that its name tells, with these headers beside the usual ones."""
    told = {
        "content-type": _TYPES[PurePath(name).suffix],
        "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "cache-control": cache,
        **PLAIN,
        **({"cross-origin-opener-policy": "same-origin"} if name.endswith(".html") else {}),
        **(headers or {}),
    }
    worth_it = is_worth_it(200, {b"content-type": told["content-type"].encode()}, len(body))
    return File(body, told, packed(body) if worth_it else b"")


async def answer(file: File, scope: Scope, send: Send) -> int:
    """Send a file, or that its reader has it; gives the status."""
    file = file.for_reader(scope["headers"])
    etag = file.headers["etag"]
    at_hand = tags_in(value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match")
    known = at_hand is not None and at_hand.has_weakly(etag)
    headers = [(name.encode(), value.encode()) for name, value in file.headers.items()]
    if not known:
        headers.append((b"content-length", b"%d" % len(file.body)))
    status = 304 if known else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"" if known or scope["method"] == "HEAD" else file.body
    message: Message = {"type": "http.response.body", "body": body}
    await send(message)
    return status


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> int:
    """Send a problem in the reader's language; gives the status."""
    await problem_response(refusal, language_of(scope["headers"]))(scope, receive, send)
    return refusal.problem.status


def require_reading(scope: Scope) -> None:
    """Demand GET or HEAD. Raises the 405 problem `method_not_allowed`."""
    if scope["method"] not in {"GET", "HEAD"}:
        raise Refusal(METHOD_NOT_ALLOWED, headers={"allow": "GET, HEAD"})
