"""Serves the portal, in raw ASGI before the application: its page at every address below /app/, the page of terminals
that people use in turn at /kiosk/, and their files.

A page may do what its policy says and no more: own scripts and styles, own API, no other origin, no text as markup.
"""

import re
from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.types import Receive, Send

from gateway.files import IMMUTABLE, Application, File, Scope, answer, file_of, refuse, require_reading
from telemetry import ServedRequest
from webapi.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Refusal

PAGE: Final = "/app/"
_ASSETS: Final = f"{PAGE}assets/"
KIOSK: Final = "/kiosk/"
_LEFT: Final = f"{KIOSK}out"
"""What a terminal tells when somebody leaves it."""
_BEGINNINGS: Final = {"/": PAGE, "/app": PAGE, "/kiosk": KIOSK}
"""What leads to a page."""
_STYLE: Final = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_PERMISSIONS: Final = "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), browsing-topics=()"


class PortalPages:
    """Answers /, and what is below /app/ and /kiosk/, from the `folder` of a build, anew whenever that changes.

    All else is passed on. Without a build there is nothing at these addresses, and everything else works.
    """

    def __init__(self, app: Application, folder: Path | None) -> None:
        self._app = app
        self._folder = folder
        self._built_at = 0
        self._files: dict[str, File] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if path not in _BEGINNINGS and not path.startswith((PAGE, KIOSK)):
            await self._app(scope, receive, send)
            return
        served = ServedRequest(scope["method"], ())
        status = 500
        try:
            status = await self._answer(path, scope, send)
        except Refusal as refusal:
            status = await refuse(refusal, scope, receive, send)
        finally:
            served.finish(KIOSK if path.startswith(KIOSK) else PAGE, status)

    async def _answer(self, path: str, scope: Scope, send: Send) -> int:
        if path == _LEFT:
            return await _forget(scope, send)
        require_reading(scope)
        if path in _BEGINNINGS:
            return await _lead(_BEGINNINGS[path], scope, send)
        return await answer(self._file(path), scope, send)

    def _file(self, path: str) -> File:
        """Give a file by its name, else the page, but for what can be no address of a screen: a file that is gone.

        Raises the 404 problem `not_found`.
        """
        if not path.startswith(_ASSETS) or path not in self._files:
            self._look()
        found = self._files.get(path)
        if found is None and path.startswith(PAGE) and not path.startswith(_ASSETS) and "." not in path:
            found = self._files.get(PAGE)
        if found is None:
            raise Refusal(NOT_FOUND)
        return found

    def _look(self) -> None:
        """Read the build if it is another than the one that is known."""
        if self._folder is None:
            return
        try:
            built_at = (self._folder / "builds.json").stat().st_mtime_ns
        except FileNotFoundError:
            return
        if built_at != self._built_at:
            self._files = _files(self._folder)
            self._built_at = built_at


def _files(folder: Path) -> dict[str, File]:
    files = {
        f"{_ASSETS}{each.name}": file_of(each.name, each.read_bytes(), cache=IMMUTABLE)
        for each in (folder / "assets").iterdir()
    }
    page = (folder / "index.html").read_bytes()
    files[PAGE] = file_of("index.html", page, headers=_rules(_policy(page)))
    kiosk = (folder / "kiosk.html").read_bytes()
    files[KIOSK] = file_of("kiosk.html", kiosk, headers=_rules(_policy(kiosk)))
    worker = (folder / "worker.js").read_bytes()
    files[f"{PAGE}worker.js"] = file_of("worker.js", worker, headers=_rules(_policy(page)))
    for name in ("app.webmanifest", "icon.svg"):
        files[f"{PAGE}{name}"] = file_of(name, (folder / name).read_bytes())
    return files


def _rules(policy: str) -> dict[str, str]:
    return {"content-security-policy": policy, "permissions-policy": _PERMISSIONS}


def _policy(page: bytes) -> str:
    """Allow what the portal does. Its one trusted type is the worker's address: with none it could not register."""
    styles = "".join(f" 'sha256-{b64encode(sha256(style).digest()).decode()}'" for style in _STYLE.findall(page))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'{styles}; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types portal-worker"
    )


async def _lead(page: str, scope: Scope, send: Send) -> int:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return await _nothing(307, [(b"location", page.encode() + query), (b"cache-control", b"no-cache")], send)


async def _forget(scope: Scope, send: Send) -> int:
    """Have the browser of a terminal drop what it fetched, with the pages it kept to go back to.

    Its storage is left alone: the terminal's page puts nothing there, and the portal of whoever opened this page on a
    phone keeps acts there that are not sent yet. Raises the 405 problem `method_not_allowed`.
    """
    if scope["method"] != "POST":
        raise Refusal(METHOD_NOT_ALLOWED, headers={"allow": "POST"})
    return await _nothing(204, [(b"clear-site-data", b'"cache"'), (b"cache-control", b"no-store")], send)


async def _nothing(status: int, headers: list[tuple[bytes, bytes]], send: Send) -> int:
    """Answer with headers alone."""
    length = [] if status == HTTPStatus.NO_CONTENT else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers + length})
    await send({"type": "http.response.body", "body": b""})
    return status
