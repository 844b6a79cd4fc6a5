"""The sign-in and sign-out pages: what they hold, what they refuse, and what they never tell."""

import re

import pytest
from sqlalchemy import func, select

from identity.pages.html import TEXTS
from identity.sessions.tables import BrowserSession

from .front_end import PASSWORD, FrontEnd, answer_of
from .provider import Provider


async def test_the_page_has_no_script_and_allows_nothing_it_does_not_need(front_end: FrontEnd) -> None:
    page = await front_end.http.get("/sign-in", params=front_end.request())
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == "'self' http://127.0.0.1:8765"  # browsers check where the answer leads, too
    assert policy["style-src"].startswith("'sha256-")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"
    for each in (page, await front_end.authorize()):  # as strict on the way there: else the page would lose its own
        assert each.headers.get_list("cross-origin-opener-policy") == ["same-origin"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<script" not in page.text
    assert not re.search(r'\son\w+="', page.text)
    assert not re.search(r'\sstyle="', page.text)
    alone = await front_end.http.get("/sign-in")
    assert "form-action 'self';" in alone.headers["content-security-policy"]


async def test_the_page_is_made_for_old_eyes_and_large_fingers(front_end: FrontEnd) -> None:
    page = (await front_end.http.get("/sign-in")).text
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in page  # zooming stays possible
    assert "font: 1.25rem/1.5" in page
    assert page.count("min-height: 60px") >= 2
    for field, kind in (("username", "username"), ("password", "current-password")):
        assert f'<label for="{field}">' in page
        assert re.search(rf'<input id="{field}"[^>]*autocomplete="{kind}"', page)


@pytest.mark.parametrize(
    ("parameters", "accept", "lang", "title"),
    [
        ({}, "en-GB,en;q=0.9", "en", "Sign in"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "登录"),
        ({}, "fr,de;q=0.8,en;q=0.1", "en", "Sign in"),
        ({}, "fr", "zh-CN", "登录"),
        ({}, "en;q=nonsense,;;,", "zh-CN", "登录"),
        ({"ui_locales": "fr en"}, "zh-CN", "en", "Sign in"),
        ({"ui_locales": "zh"}, "en", "zh-CN", "登录"),
    ],
)
async def test_the_page_speaks_the_language_that_is_asked_for(
    front_end: FrontEnd, parameters: dict[str, str], accept: str, lang: str, title: str
) -> None:
    page = await front_end.http.get("/sign-in", params=parameters, headers={"Accept-Language": accept})
    assert f'<html lang="{lang}">' in page.text
    assert f"<h1>{title}</h1>" in page.text
    assert page.headers["content-language"] == lang


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    placeholders = {lang: {key: re.findall(r"{.*?}", text) for key, text in TEXTS[lang].items()} for lang in TEXTS}
    assert placeholders["zh"] == placeholders["en"]


async def test_the_page_names_the_client_and_its_language_link_keeps_the_request(front_end: FrontEnd) -> None:
    page = await front_end.http.get("/sign-in", params=front_end.request(state='"><script>alert(1)</script>'))
    assert "Sign in to go on to “Command line”" in page.text
    assert "<script" not in page.text
    [link] = re.findall(r'<a href="([^"]+)" lang="zh-CN"', page.text)
    other = await front_end.http.get(link.replace("&amp;", "&"))
    assert "登录后进入“命令行”" in other.text


async def test_a_name_is_found_however_it_is_typed(provider: Provider, front_end: FrontEnd) -> None:
    await provider.open_person(username="zhang.san-01")
    assert (await front_end.sign_in("  Zhang.San-０１ ")).parameters["code"]
    await provider.open_person(username="王村支书")
    assert (await front_end.sign_in("王村支书")).parameters["code"]


async def test_a_form_from_elsewhere_is_not_accepted(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await front_end.http.get("/sign-in", params=front_end.request())
    form = {"username": username, "password": PASSWORD}
    forged = await front_end.submit(page, **form, form_token="another token")
    assert forged.status_code == 403
    assert "Please sign in again." in forged.text
    front_end.http.headers["Sec-Fetch-Site"] = "cross-site"
    assert (await front_end.submit(page, **form)).status_code == 403
    front_end.http.headers["Sec-Fetch-Site"] = "same-origin"
    assert (await front_end.submit(page, **form)).status_code == 303
    front_end.http.cookies.clear()
    assert (await front_end.submit(page, **form)).status_code == 403  # no cookie, no sign-in
    assert not front_end.http.cookies.get("session")


async def test_the_session_cookie_is_for_the_server_alone(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await front_end.http.get("/sign-in", params=front_end.request())
    welcomed = await front_end.submit(page, username=username, password=PASSWORD)
    [cookie] = [each for each in welcomed.headers.get_list("set-cookie") if each.startswith("session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Max-Age" not in cookie  # gone when the browser is closed
    value = re.match(r"session=([^;]+)", cookie)
    assert value is not None
    async with provider.database.read() as session:
        kept = await session.scalar(select(BrowserSession.cookie_hash).order_by(BrowserSession.signed_in_at.desc()))
    assert kept is not None
    assert value[1].encode() not in kept


async def test_signing_in_without_a_client_ends_on_a_page_and_signing_out_ends_all_that_came_of_it(
    provider: Provider,
) -> None:
    person_id, username = await provider.open_person()
    web = provider.web_front_end()
    page = await web.http.get("/sign-in")
    assert (await web.submit(page, username=username, password=PASSWORD)).headers["location"] == "/sign-in"
    assert "You are signed in" in (await web.http.get("/sign-in")).text
    code = answer_of(await web.authorize()).parameters["code"]
    refresh = (await web.redeem(code)).json()["refresh_token"]

    asked = await web.http.get("/oauth2/end-session")
    assert "You are signed in" in (await web.http.get("/sign-in")).text  # a link alone signs nobody out
    forged = await web.submit(asked, form_token="another token")
    assert forged.headers["location"] == "/oauth2/end-session"
    assert "You are signed out" in (await web.submit(asked)).text
    assert web.http.cookies.get("session") is None
    assert (await web.authorize()).headers["location"].startswith("/sign-in?")
    assert (await web.refresh(refresh)).json()["error"] == "invalid_grant"
    async with provider.database.read() as session:
        open_sessions = BrowserSession.ended_at.is_(None) & (BrowserSession.account_id == person_id)
        assert await session.scalar(select(func.count()).where(open_sessions)) == 0


async def test_a_new_sign_in_ends_the_former_session_of_the_browser(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    web = provider.web_front_end()
    await web.sign_in(username)
    first = web.http.cookies["session"]
    await web.sign_in(username, prompt="login")
    assert web.http.cookies["session"] != first
    web.http.cookies.set("session", first, domain="127.0.0.1")
    async with provider.database.read() as session:
        mine = select(BrowserSession.ended_at.is_(None)).where(BrowserSession.account_id == person_id)
        assert sorted((await session.scalars(mine)).all()) == [False, True]


async def test_an_unreadable_request_gets_a_page(front_end: FrontEnd) -> None:
    for response in (
        await front_end.http.get("/sign-in?a=%ff"),
        await front_end.http.get("/sign-in?a=1&a=2"),
        await front_end.http.get("/oauth2/authorize?a=%ff"),
        await front_end.http.post("/sign-in", json={"username": "a"}),
        await front_end.http.get("/oauth2/end-session?a=%00"),
    ):
        assert response.status_code == 400
        assert "<code>invalid_request</code>" in response.text
