"""The portal's files as a browser gets them."""

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.portal.serving import PortalPages

STYLE = "p { color: red }"
PAGE = f"<!doctype html><title>乡桥</title><style>{STYLE}</style>{'<p>一二三</p>' * 100}"
KIOSK = f"<!doctype html><title>乡桥</title><style>{STYLE}</style>"
SCRIPT = "console.log(1);" * 100


def build(folder: Path, *, script: str = "core-1.js") -> None:
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    (folder / "assets" / script).write_text(SCRIPT)
    (folder / "index.html").write_text(PAGE)
    (folder / "kiosk.html").write_text(KIOSK)
    (folder / "worker.js").write_text("self.skipWaiting")
    (folder / "app.webmanifest").write_text("{}")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "builds.json").write_text(f'[["{script}"]]')


async def behind(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


def browser(folder: Path | None) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(PortalPages(behind, folder)), base_url="https://x.test")


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    build(tmp_path)
    async with browser(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("path", "page"), [("/", "/app/"), ("/app", "/app/"), ("/kiosk?terminal=hall", "/kiosk/?terminal=hall")]
)
async def test_the_address_leads_to_the_page(client: httpx.AsyncClient, path: str, page: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, page)


@pytest.mark.parametrize("path", ["/app/", "/app/me", "/app/cases/01930000-0000-7000-8000-000000000001"])
async def test_every_screen_is_the_page_with_its_rules_and_is_asked_for_anew(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.text == PAGE
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'sha256-{style}'; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types portal-worker"
    )
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["permissions-policy"].startswith("camera=(self), microphone=(self)")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_terminals_page_stands_alone_under_the_same_rules(client: httpx.AsyncClient) -> None:
    answer, portal = await client.get("/kiosk/?place=hall"), await client.get("/app/")
    assert answer.text == KIOSK
    assert answer.headers["content-security-policy"] == portal.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"
    assert (await client.get("/kiosk/cases")).status_code == 404


async def test_whoever_leaves_a_terminal_is_forgotten_but_for_what_a_phone_has_yet_to_send(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/kiosk/out")
    assert (answer.status_code, answer.headers["clear-site-data"]) == (204, '"cache"')  # and no storage
    followed = await client.get("/kiosk/out")  # a link does nothing
    assert (followed.status_code, followed.headers["allow"]) == (405, "POST")
    assert "clear-site-data" not in followed.headers


async def test_a_file_named_by_its_content_is_kept_for_ever_and_comes_as_gzip(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/assets/core-1.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "accept-encoding")
    plain = await client.get("/app/assets/core-1.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text == SCRIPT


@pytest.mark.parametrize("path", ["/app/worker.js", "/app/app.webmanifest", "/app/icon.svg"])
async def test_what_keeps_its_name_is_asked_for_anew(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("path", ["/app/assets/core-0.js", "/app/assets/", "/app/old.js", "/app/builds.json"])
async def test_a_file_that_is_gone_is_missing_and_never_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nothing_can_be_sent_there(client: httpx.AsyncClient) -> None:
    answer = await client.post("/app/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_new_build_is_served_at_once_with_the_files_it_kept(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/app/assets/core-1.js")).status_code == 200
    build(tmp_path, script="core-2.js")
    assert (await client.get("/app/assets/core-2.js")).status_code == 200
    assert (await client.get("/app/assets/core-1.js")).status_code == 200


async def test_without_a_build_there_is_no_page_and_everything_else_works(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        async with browser(folder) as client:
            assert (await client.get("/app/")).status_code == 404
            assert (await client.get("/docs")).text == "behind"
