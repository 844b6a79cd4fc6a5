"""Serves the merged document and the page that shows it, in raw ASGI before the application."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastapi.openapi.docs import get_swagger_ui_oauth2_redirect_html
from starlette.types import Message, Receive, Send

from gateway.documents.descriptions import SCOPES
from gateway.documents.document import PATH, MergedDocument
from gateway.documents.problem_pages import PREFIX, page_of, told_of
from gateway.edge.compression import accepted, is_worth_it, packed
from telemetry import ServedRequest
from webapi.languages import language_of
from webapi.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Refusal, problem_response
from webapi.versions import tags_in

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
}
_PLAIN: Final = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_REVALIDATE: Final = "no-cache"
_DAY: Final = "public, max-age=86400"
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class _File(NamedTuple):
    """Something that is served as it is, and as gzip where that is worth it."""

    body: bytes
    headers: Mapping[str, str]
    packed: bytes = b""

    def for_reader(self, headers: Sequence[tuple[bytes, bytes]]) -> "_File":
        """Give the representation that the headers of a request ask for; each has an entity tag of its own."""
        if not self.packed:
            return self
        shown = {**self.headers, "vary": ", ".join(filter(None, (self.headers.get("vary"), "accept-encoding")))}
        if not accepted(b",".join(value for name, value in headers if name == b"accept-encoding")):
            return _File(self.body, shown)
        return _File(self.packed, {**shown, "content-encoding": "gzip", "etag": f'{shown["etag"][:-1]}-gzip"'})


class DocumentPages:
    """Answers /openapi.json, /docs and what the page needs, and /problems/<code>; passes all else on to `app`."""

    def __init__(self, app: Application, document: MergedDocument) -> None:
        self._app = app
        self._document = document
        self._files = {f"/docs/{name}": file for name, file in _page_files().items()}
        self._files["/docs"] = self._files.pop("/docs/index.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if path not in {PATH, "/docs"} and not path.startswith(("/docs/", PREFIX)):
            await self._app(scope, receive, send)
            return
        served = ServedRequest(scope["method"], ())
        status = 500
        try:
            if scope["method"] not in {"GET", "HEAD"}:
                status = await _refuse(
                    Refusal(METHOD_NOT_ALLOWED, headers={"allow": "GET, HEAD"}), scope, receive, send
                )
            elif (file := self._problem(path, scope) if path.startswith(PREFIX) else self._file(path)) is None:
                status = await _refuse(Refusal(NOT_FOUND), scope, receive, send)
            else:
                status = await _answer(file, scope, send)
        finally:
            served.finish(next(each for each in (PATH, PREFIX, "/docs") if path.startswith(each)), status)

    def _file(self, path: str) -> _File | None:
        if path != PATH:
            return self._files.get(path.rstrip("/"))
        published = self._document.published
        headers = {**_PLAIN, "content-type": "application/json", "etag": published.etag, "cache-control": _REVALIDATE}
        return _File(published.body, headers, published.packed)

    def _problem(self, path: str, scope: Scope) -> _File | None:
        code = path.removeprefix(PREFIX)
        told, language = told_of(self._document.published.problems, code), language_of(scope["headers"])
        if told is None:
            return None
        as_json = _wants_json(scope["headers"])
        body = page_of(code, told, language, as_json=as_json)
        made = _file("problem.json" if as_json else "problem.html", body, policy=_NOTHING, cache=_DAY)
        more = {"vary": "accept, accept-language", "content-language": "en" if language == "en" else "zh-CN"}
        return _File(body, {**made.headers, **more}, made.packed)


def _wants_json(headers: list[tuple[bytes, bytes]]) -> bool:
    """Say whether a program asks: what it names first of HTML and JSON."""
    accepted = next((value.lower() for name, value in headers if name == b"accept"), b"")
    html, json = accepted.find(b"html"), accepted.find(b"json")
    return json >= 0 and (html < 0 or json < html)


@cache
def _page_files() -> dict[str, _File]:
    """Read the page's files: our own few, and Swagger UI's out of the wheel that brings version 5 (3.1 documents)."""
    own = files("gateway.documents") / "page"
    wheel = find_spec("fastapi_offline")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("fastapi-offline, which brings Swagger UI, is not installed")
    theirs = Path(wheel.origin).parent / "static"
    redirect = bytes(get_swagger_ui_oauth2_redirect_html().body)
    return {
        "index.html": _file("index.html", (own / "index.html").read_bytes(), policy=_policy()),
        "start.js": _file(
            "start.js", (own / "start.js").read_bytes().replace(b"{SCOPES}", " ".join(SCOPES).encode("ascii"))
        ),
        "oauth2-redirect.html": _file("oauth2-redirect.html", redirect, policy=_policy(*_SCRIPT.findall(redirect))),
        **{
            name: _file(name, (theirs / name).read_bytes(), cache=_DAY)
            for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
        },
    }


def _file(name: str, body: bytes, *, policy: str | None = None, cache: str = _REVALIDATE) -> _File:
    headers = {
        "content-type": _TYPES[Path(name).suffix],
        "etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "cache-control": cache,
        **_PLAIN,
    }
    if policy is not None:
        headers["content-security-policy"] = policy
    if name.endswith(".html"):
        headers["cross-origin-opener-policy"] = "same-origin"
    return _File(
        body,
        headers,
        packed(body) if is_worth_it(200, {b"content-type": headers["content-type"].encode()}, len(body)) else b"",
    )


def _policy(*inline_scripts: bytes) -> str:
    """Allow what Swagger UI does: scripts of our own, styles it sets by script, its icons, calls to the gateway."""
    hashes = "".join(f" 'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'" for script in inline_scripts)
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def _answer(file: _File, scope: Scope, send: Send) -> int:
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


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> int:
    await problem_response(refusal, language_of(scope["headers"]))(scope, receive, send)
    return refusal.problem.status
