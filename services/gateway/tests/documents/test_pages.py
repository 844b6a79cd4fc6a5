"""The document and its page as a client gets them."""

import asyncio
from datetime import date

import orjson
import pytest

from contracts.scopes import API_SCOPES
from database import Database, raw
from gateway.documents.copies import Copy, keep, recall
from gateway.forwarding.endings import lines_for
from webapi import deprecated
from webapi.problems import PERMISSION_MISSING

from ..forwarding.raw_service import Asked, Talk, answering
from .served import PUBLIC_URL, SETTINGS, PageOut, System, service_document, serving


async def test_one_valid_document_has_all_public_paths(system: System) -> None:
    await system.merged.refresh()
    document = await system.document()
    assert list(document["paths"]) == ["/v1/courses", "/v1/home", "/v1/members"]
    assert [tag["name"] for tag in document["tags"]] == [
        "identity", "members", "activities", "learning", "feedback", "gateway",
    ]  # fmt: skip
    assert document["paths"]["/v1/courses"]["get"]["tags"] == ["learning"]
    assert document["servers"][0]["url"] == PUBLIC_URL
    schemas = document["components"]["schemas"]
    assert {"LearningPageOut", "MembersPageOut", "GatewayPageOut", "Problem"} == set(schemas)
    codes = schemas["Problem"]["properties"]["type"]["examples"]
    assert {"/problems/learning_conflict", "/problems/members_conflict"} <= set(codes)
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]
    assert flow["authorizationUrl"] == f"{PUBLIC_URL}/oauth2/authorize"
    assert {"oauth2": ["learning.write"]} in document["paths"]["/v1/courses"]["post"]["security"]
    named = {
        scope
        for item in document["paths"].values()
        for operation in item.values()
        for requirement in operation.get("security", ())
        for scope in requirement.get("oauth2", ())
    }
    assert named <= flow["scopes"].keys() == {"openid", "profile", *API_SCOPES}
    assert "x-xiangqiao-stale" not in document
    assert system.learning.asked[0].target == b"/openapi.json"


async def test_before_any_service_was_heard_the_document_says_so(system: System) -> None:
    document = await system.document()
    assert list(document["paths"]) == ["/v1/home"]
    assert document["x-xiangqiao-stale"] == {"learning": None, "members": None}


@pytest.mark.parametrize("silence", ["down", "error", "not json", "not a document", "broken document", "endless"])
async def test_a_service_that_fails_keeps_its_last_good_copy(system: System, silence: str) -> None:
    await system.merged.refresh()
    good = await system.document()
    if silence == "down":

        async def refuse(talk: Talk, _asked: Asked) -> None:
            talk.reset()

        system.learning.behave = refuse
    else:
        broken = {"openapi": "3.1.0", "paths": {"/v1/courses": {"get": {"security": 5}}}, "components": {}}
        bodies = {
            "error": serving(b"{}", 503),
            "not json": serving(b"<html>"),
            "not a document": serving(b"[]"),
            "broken document": serving(orjson.dumps(broken)),
            "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (9 * 1024 * 1024),
        }
        system.learning.behave = answering(bodies[silence])
    await system.merged.refresh()
    stale = await system.document()
    since = stale.pop("x-xiangqiao-stale")
    assert since.keys() == {"learning"}
    assert since["learning"] is not None
    assert stale == good


async def test_each_new_reason_why_a_document_is_stale_is_told_once(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    for answer in (serving(b"<html>"), serving(b"<html>"), serving(b"[]"), serving(b"", 503)):
        system.learning.behave = answering(answer)
        await system.merged.refresh()
    told = [getattr(each, "reason", None) for each in caplog.records if each.msg == "document_stale"]
    assert told == ["not_json", "broken"]


async def test_a_service_that_comes_back_with_something_new_is_taken_over(system: System) -> None:
    system.learning.behave = answering(serving(b"", 503))
    await system.merged.refresh()
    assert (await system.document())["x-xiangqiao-stale"] == {"learning": None}
    system.learning.behave = answering(serving(orjson.dumps(service_document("learning", "/v1/courses/new", PageOut))))
    await system.merged.refresh()
    document = await system.document()
    assert "x-xiangqiao-stale" not in document
    assert "/v1/courses/new" in document["paths"]


async def test_the_document_is_refreshed_in_the_background(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.documents.document.REFRESH_SECONDS", 0.02)
    async with system.merged.running():
        async with asyncio.timeout(10):
            while len(system.members.asked) < 3:
                await asyncio.sleep(0.01)
    asked = len(system.members.asked)
    await asyncio.sleep(0.1)
    assert len(system.members.asked) == asked


async def silence(system: System) -> None:
    """Let no service answer any more."""

    async def refuse(talk: Talk, _asked: Asked) -> None:
        talk.reset()

    system.learning.behave = system.members.behave = refuse


async def test_documents_survive_a_restart_without_services(system: System, database: Database) -> None:
    await system.merged.refresh()
    good = await system.document()
    await silence(system)
    system.start(database)
    async with system.merged.running():
        kept = await system.document()
        await system.merged.refresh()
        assert (await system.document()).keys() == kept.keys()
    since = kept.pop("x-xiangqiao-stale")
    assert since.keys() == {"learning", "members"}
    assert None not in since.values()
    assert kept == good
    page = await system.client.get("/problems/members_conflict")
    assert page.status_code == 200


async def test_the_newest_document_is_the_one_that_is_kept(system: System, database: Database) -> None:
    for path in ("/v1/courses", "/v1/courses/new"):
        system.learning.behave = answering(serving(orjson.dumps(service_document("learning", path, PageOut))))
        await system.merged.refresh()
    late = (await recall(database))["learning"]
    old = Copy(service_document("learning", "/v1/courses/old", PageOut), late.fetched_at)
    await keep(database, {"learning": old})
    assert (await recall(database))["learning"] == late
    await silence(system)
    system.start(database)
    async with system.merged.running():
        assert "/v1/courses/new" in (await system.document())["paths"]


async def test_without_its_database_it_goes_on_with_what_services_say(system: System) -> None:
    system.start(Database(SETTINGS.database_url, application_name="gateway"))
    async with system.merged.running():
        await system.merged.refresh()
        assert {"/v1/courses", "/v1/members"} <= (await system.document())["paths"].keys()


async def test_what_is_kept_and_can_no_longer_be_read_is_left_out(system: System, database: Database) -> None:
    await system.merged.refresh()
    broken = "update service_document set document = $1 where service = 'learning'"
    async with database.transaction() as session:
        await (await raw(session)).execute(broken, '{"openapi": "3.1.0", "paths": 5}')
    await silence(system)
    system.start(database)
    async with system.merged.running():
        assert list((await system.document())["paths"]) == ["/v1/home", "/v1/members"]


async def test_the_page_behind_a_problem_is_told_in_the_readers_language_and_form(system: System) -> None:
    await system.merged.refresh()
    for language, title in (("zh", PERMISSION_MISSING.title_zh), ("en", PERMISSION_MISSING.title_en)):
        headers = {"accept-language": language}
        page = await system.client.get("/problems/permission_missing", headers=headers)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert f"<h1>{title}</h1>" in page.text
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "public, max-age=86400"
        assert page.headers["vary"] == "accept, accept-language"
        for accept in ("application/json", "application/problem+json, text/html;q=0.5"):
            told = await system.client.get("/problems/permission_missing", headers={**headers, "accept": accept})
            assert told.json() == {"type": "/problems/permission_missing", "title": title, "status": 403}
        etag = page.headers["etag"]
        again = await system.client.get("/problems/permission_missing", headers={**headers, "if-none-match": etag})
        assert again.status_code == 304
    assert (await system.client.head("/problems/permission_missing")).content == b""
    assert (await system.client.get("/problems/http_418")).status_code == 200
    for nothing in ("no_such_thing", "", "http_299", "permission_missing/", "<script>alert(1)</script>"):
        assert (await system.client.get(f"/problems/{nothing}")).status_code == 404, nothing
    assert (await system.client.post("/problems/permission_missing")).status_code == 405


async def test_an_operation_that_will_go_is_told_of_by_the_document(system: System) -> None:
    ending = deprecated(since=date(2026, 12, 1), sunset=date(2027, 6, 1))
    document = service_document("learning", "/v1/courses/{course_id}/old", PageOut, **ending)
    system.learning.behave = answering(serving(orjson.dumps(document)))
    await system.merged.refresh()
    endings = list(system.merged.endings)
    told = ((b"deprecation", b"@1796083200"), (b"sunset", b"Tue, 01 Jun 2027 00:00:00 GMT"))
    for method, path, lines in (
        ("GET", b"/v1/courses/1/old", told),
        ("HEAD", b"/v1/courses/1/old", told),
        ("POST", b"/v1/courses/1/old", ()),
        ("GET", b"/v1/courses/1/2/old", ()),
        ("GET", b"/v1/courses/1/old/2", ()),
        ("GET", b"/v1/home", ()),
    ):
        assert lines_for(endings, method, path) == lines, (method, path)
    document["paths"]["/v1/courses/{course_id}/old"]["get"]["x-sunset"] = "soon"
    system.learning.behave = answering(serving(orjson.dumps(document)))
    await system.merged.refresh()
    assert "learning" in (await system.client.get("/openapi.json")).json()["x-xiangqiao-stale"]
    assert system.merged.endings == endings != []


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/swagger-ui-bundle.js"])
async def test_what_is_large_is_packed_once_for_who_takes_gzip(system: System, path: str) -> None:
    await system.merged.refresh()
    packed = await system.client.get(path)
    plain = await system.client.get(path, headers={"accept-encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "accept-encoding")
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.content == plain.content
    assert ("content-encoding" in plain.headers, plain.headers["vary"]) == (False, "accept-encoding")
    assert packed.headers["etag"] != plain.headers["etag"]  # each names its own bytes
    again = await system.client.get(path, headers={"if-none-match": packed.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, packed.headers["etag"])


async def test_an_unchanged_document_is_not_sent_again(system: System) -> None:
    await system.merged.refresh()
    first = await system.client.get("/openapi.json")
    etag = first.headers["etag"]
    await system.merged.refresh()
    for tags in (etag, f'"other", W/{etag}', "*"):
        again = await system.client.get("/openapi.json", headers={"if-none-match": tags})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    for other in ('"other"', '"*"', "W/*", etag.strip('"'), f'"other,{etag[1:]}'):
        assert (await system.client.get("/openapi.json", headers={"if-none-match": other})).status_code == 200, other
    head = await system.client.head("/openapi.json")
    assert (head.headers["content-length"], head.content) == (first.headers["content-length"], b"")
