"""Serves the merged document and the page that shows it, in raw ASGI before the application."""

import hashlib
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi.openapi.docs import get_swagger_ui_oauth2_redirect_html
from starlette.types import Receive, Send

from gateway.documents.descriptions import SCOPES
from gateway.documents.document import PATH, MergedDocument
from gateway.documents.problem_pages import PREFIX, page_of, told_of
from gateway.files import DAY, PLAIN, REVALIDATE, Application, File, Scope, answer, file_of, refuse, require_reading
from telemetry import ServedRequest
from webapi.languages import language_of
from webapi.problems import NOT_FOUND, Refusal

_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


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
            require_reading(scope)
            file = self._problem(path, scope) if path.startswith(PREFIX) else self._file(path)
            status = await answer(file, scope, send)
        except Refusal as refusal:
            status = await refuse(refusal, scope, receive, send)
        finally:
            served.finish(next(each for each in (PATH, PREFIX, "/docs") if path.startswith(each)), status)

    def _file(self, path: str) -> File:
        if path != PATH:
            return _known(self._files.get(path.rstrip("/")))
        published = self._document.published
        headers = {**PLAIN, "content-type": "application/json", "etag": published.etag, "cache-control": REVALIDATE}
        return File(published.body, headers, published.packed)

    def _problem(self, path: str, scope: Scope) -> File:
        code = path.removeprefix(PREFIX)
        told, language = told_of(self._document.published.problems, code), language_of(scope["headers"])
        if told is None:
            raise Refusal(NOT_FOUND)
        as_json = _wants_json(scope["headers"])
        body = page_of(code, told, language, as_json=as_json)
        made = file_of("problem.json" if as_json else "problem.html", body, cache=DAY, headers=_with_policy(_NOTHING))
        more = {"vary": "accept, accept-language", "content-language": "en" if language == "en" else "zh-CN"}
        return File(body, {**made.headers, **more}, made.packed)


def _wants_json(headers: list[tuple[bytes, bytes]]) -> bool:
    """Say whether a program asks: what it names first of HTML and JSON."""
    accepted = next((value.lower() for name, value in headers if name == b"accept"), b"")
    html, json = accepted.find(b"html"), accepted.find(b"json")
    return json >= 0 and (html < 0 or json < html)


@cache
def _page_files() -> dict[str, File]:
    """Read the page's files: our own few, and Swagger UI's out of the wheel that brings version 5 (3.1 documents)."""
    own = files("gateway.documents") / "page"
    wheel = find_spec("fastapi_offline")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("fastapi-offline, which brings Swagger UI, is not installed")
    theirs = Path(wheel.origin).parent / "static"
    redirect = bytes(get_swagger_ui_oauth2_redirect_html().body)
    return {
        "index.html": file_of("index.html", (own / "index.html").read_bytes(), headers=_with_policy(_policy())),
        "start.js": file_of(
            "start.js", (own / "start.js").read_bytes().replace(b"{SCOPES}", " ".join(SCOPES).encode("ascii"))
        ),
        "oauth2-redirect.html": file_of(
            "oauth2-redirect.html", redirect, headers=_with_policy(_policy(*_SCRIPT.findall(redirect)))
        ),
        **{
            name: file_of(name, (theirs / name).read_bytes(), cache=DAY)
            for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
        },
    }


def _known(file: File | None) -> File:
    if file is None:
        raise Refusal(NOT_FOUND)
    return file


def _with_policy(policy: str) -> dict[str, str]:
    return {"content-security-policy": policy}


def _policy(*inline_scripts: bytes) -> str:
    """Allow what Swagger UI does: scripts of our own, styles it sets by script, its icons, calls to the gateway."""
    hashes = "".join(f" 'sha256-{b64encode(hashlib.sha256(script).digest()).decode()}'" for script in inline_scripts)
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
