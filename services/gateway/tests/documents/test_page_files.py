"""The files of the page that shows the document, and what every answer beside the API says in its head."""

import hashlib
import re
from base64 import b64encode

import pytest

from contracts.scopes import API_SCOPES

from .served import System


async def test_the_page_brings_everything_from_here_and_allows_nothing_else(system: System) -> None:
    page = await system.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page.text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("/docs/")
        file = await system.client.get(address)
        assert file.status_code == 200
        assert file.headers["x-content-type-options"] == "nosniff"
        assert "etag" in file.headers
    start = (await system.client.get("/docs/start.js")).text
    assert 'clientId: "docs"' in start
    assert "usePkceWithAuthorizationCodeGrant: true" in start


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_no_answer_is_taken_for_another_kind_than_it_says_and_no_page_has_an_opener_elsewhere(
    system: System, method: str, accept: str
) -> None:
    await system.merged.refresh()
    known = next(iter(system.merged.published.problems))
    pages = ("/docs", "/docs/start.js", "/docs/oauth2-redirect.html", f"/problems/{known}")
    for path in ("/openapi.json", "/docs/none.js", "/problems/none_such", *pages):
        answer = await system.client.request(method, path, headers={"accept": accept})
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], path
        is_page = answer.headers["content-type"].startswith("text/html")
        assert answer.headers.get_list("cross-origin-opener-policy") == ["same-origin"] * is_page, path


async def test_the_page_shows_documents_of_version_3_1(system: System) -> None:
    bundle = (await system.client.get("/docs/swagger-ui-bundle.js")).text
    assert re.search(r'PACKAGE_VERSION:"5\.\d+', bundle)


async def test_whoever_tries_it_out_is_offered_every_scope(system: System) -> None:
    script = (await system.client.get("/docs/start.js")).text
    assert f'scopes: "openid profile {" ".join(API_SCOPES)}"' in script


async def test_the_way_back_from_sign_in_may_run_its_own_script_alone(system: System) -> None:
    page = await system.client.get("/docs/oauth2-redirect.html")
    scripts = re.findall(rb"<script>(.*?)</script>", page.content, re.DOTALL)
    assert len(scripts) == 1
    digest = b64encode(hashlib.sha256(scripts[0]).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in page.headers["content-security-policy"]


async def test_other_methods_and_other_paths_are_problems_and_all_else_passes(system: System) -> None:
    assert (await system.client.post("/openapi.json")).status_code == 405
    missing = await system.client.get("/docs/nothing.js")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    for path in ("/docsx", "/openapi.json/x", "/", "/v1/home"):
        assert (await system.client.get(path)).content == b"behind"
