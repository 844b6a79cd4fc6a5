"""The page of one's own sessions: a person without a front end sees where they are signed in, and ends it."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from database import new_id, raw, utc_now
from identity.sessions import pages
from identity.sessions.tables import BrowserSession, TokenFamily

from .authenticator import set_up
from .front_end import PASSWORD, FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider
from .test_sessions import PHONE, claims_of, refreshes, session_of
from .told import is_told_revoked

PAGE = pages.PAGE


async def opened(browser: FrontEnd, username: str, address: str = PAGE) -> httpx.Response:
    """Ask for the page, be sent to sign in, and come back to it."""
    sent = await browser.http.get(address)
    assert sent.headers["location"].startswith("/sign-in?next=sessions")
    page = await browser.http.get(sent.headers["location"])
    back = await browser.submit(page, username=username, password="correct horse")
    assert back.headers["location"] == address
    return await browser.http.get(back.headers["location"])


def listed(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return re.findall(r'name="end" value="([0-9a-f-]{36})"', page.text)


async def end(browser: FrontEnd, page: httpx.Response, what: str) -> httpx.Response:
    """Press a button of the page."""
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token is not None
    return await browser.http.post(PAGE, data={"form_token": unescape(token[1]), "end": what})


async def recorded(provider: Provider, person_id: object) -> list[str]:
    """Name what the audit says of a person's sessions, in order."""
    async with provider.database.read() as session:
        rows = await (await raw(session)).fetch(
            "select action from audit.entry where subject = $1 and action like 'identity.session%.ended' order by id",
            person_id,
        )
    return [row["action"] for row in rows]


async def three_places(provider: Provider) -> tuple[str, list[tuple[FrontEnd, Tokens]]]:
    """Sign somebody in at three front ends, the first of which is on a phone."""
    _, username = await provider.open_person()
    places = []
    for agent in (PHONE, "", ""):
        front_end = provider.front_end()
        front_end.http.headers["User-Agent"] = agent
        places.append((front_end, await front_end.tokens(username)))
    return username, places


async def test_a_person_sees_their_own_sessions_in_both_languages(provider: Provider, front_end: FrontEnd) -> None:
    username, places = await three_places(provider)
    await provider.signed_in()
    page = await opened(front_end, username)
    assert listed(page)[1:] == [session_of(tokens) for _, tokens in places[::-1]]
    assert "Chrome on Android" in page.text
    assert re.search(r"<dd>20\d\d-\d\d-\d\d \d\d:\d\d</dd>", page.text)
    assert re.findall("<h2>(.*) · this browser</h2>", page.text) == ["Signed in on a browser only (no application)"]
    chinese = await front_end.http.get(f"{PAGE}?ui_locales=zh")
    assert "安卓设备上的Chrome 浏览器" in chinese.text
    assert "只在浏览器中登录（未进入应用） · 本浏览器</h2>" in chinese.text
    assert "script" not in page.headers["content-security-policy"]


async def test_one_session_is_ended_and_the_others_stay(provider: Provider, front_end: FrontEnd) -> None:
    username, [(lost, there), (kept, here), _] = await three_places(provider)
    page = await opened(front_end, username)
    for _ in range(2):
        done = await end(front_end, page, session_of(there))
        assert (done.status_code, done.headers["location"]) == (303, PAGE)
    assert session_of(there) not in listed(await front_end.http.get(PAGE))
    assert len(listed(await front_end.http.get(PAGE))) == len(listed(page)) - 1
    assert await is_told_revoked(provider.database, session_of(there))
    assert not await refreshes(lost, there)
    assert await refreshes(kept, here)


async def test_all_others_end_and_this_browser_stays_signed_in(provider: Provider) -> None:
    username, places = await three_places(provider)
    web = provider.web_front_end()
    mine = await web.tokens(username)
    page = await web.http.get(PAGE)
    assert "· this browser</h2>" in page.text
    assert (await end(web, page, "others")).status_code == 303
    assert listed(await web.http.get(PAGE)) == [session_of(mine)]
    for front_end, tokens in places:
        assert not await refreshes(front_end, tokens)
        assert (await front_end.http.get(PAGE)).headers["location"].startswith("/sign-in?")
    assert await refreshes(web, mine)
    assert (await end(web, page, session_of(mine))).status_code == 303
    assert (await web.http.get(PAGE)).headers["location"].startswith("/sign-in?")
    assert not await refreshes(web, mine)


async def test_nobody_ends_what_is_not_theirs_nor_by_a_form_of_another_site(
    provider: Provider, front_end: FrontEnd
) -> None:
    stranger = provider.front_end()
    _, strangers_name = await provider.open_person()
    tokens = await stranger.tokens(strangers_name)
    username, [(_, own), *_] = await three_places(provider)
    page = await opened(front_end, username)
    for what in (session_of(tokens), str(new_id()), "everything", ""):
        assert (await end(front_end, page, what)).status_code == 400, what
    assert await refreshes(stranger, tokens)
    for data, status in (({}, 400), ({"form_token": "forged", "end": "others"}, 403)):
        assert (await front_end.http.post(PAGE, data=data)).status_code == status
    assert session_of(own) in listed(await front_end.http.get(PAGE))
    without = provider.front_end()
    assert (await without.http.post(PAGE, data={"form_token": "x", "end": "others"})).status_code == 303


async def test_an_older_sign_in_will_do_as_it_does_for_front_ends(provider: Provider, front_end: FrontEnd) -> None:
    username, [(_, there), *_] = await three_places(provider)
    page = await opened(front_end, username)
    async with provider.database.transaction() as session:
        person = await session.scalar(select(TokenFamily.account_id).where(TokenFamily.family_id == session_of(there)))
        mine = update(BrowserSession).where(BrowserSession.account_id == person)
        await session.execute(mine.values(signed_in_at=utc_now() - timedelta(hours=3)))
    assert (await end(front_end, page, session_of(there))).status_code == 303
    assert session_of(there) not in listed(await front_end.http.get(PAGE))


async def test_a_long_list_comes_in_pages(
    provider: Provider, front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    username, places = await three_places(provider)
    page = await opened(front_end, username)
    monkeypatch.setattr(pages, "AT_ONCE", 2)
    first = await front_end.http.get(PAGE)
    older = re.search(r'class="button" href="(/sign-in/sessions\?cursor=[^"]+)"', first.text)
    assert older is not None
    rest = await front_end.http.get(unescape(older[1]))
    assert listed(first) + listed(rest) == listed(page)
    assert len(listed(page)) == len(places) + 1  # and this browser
    assert (await front_end.http.get(f"{PAGE}?cursor=broken")).status_code == 400


async def test_who_signed_in_on_our_own_pages_alone_is_seen_and_ended(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    thief, mine = provider.front_end(), provider.web_front_end()
    thief.http.headers["User-Agent"] = PHONE
    await opened(thief, username)
    tokens = await mine.tokens(username)
    page = await mine.http.get(PAGE)
    [here, there] = listed(page)
    assert (here, "Chrome on Android" in page.text) == (session_of(tokens), True)
    assert (await end(mine, page, there)).status_code == 303
    assert (await thief.http.get(PAGE)).headers["location"].startswith("/sign-in?")
    assert listed(await mine.http.get(PAGE)) == [here]
    assert (await end(mine, page, there)).status_code == 303
    assert await recorded(provider, person_id) == ["identity.session.ended"]


async def test_a_listed_sign_in_ends_with_what_came_of_it_since(provider: Provider) -> None:
    _, username = await provider.open_person()
    thief, mine = provider.web_front_end(), provider.front_end()
    await opened(thief, username)
    await mine.tokens(username)
    page = await mine.http.get(PAGE)
    [_, sign_in] = listed(page)
    code = answer_of(await thief.authorize()).parameters["code"]
    tokens = tokens_of(await thief.redeem(code))
    assert (await end(mine, page, sign_in)).status_code == 303
    assert not await refreshes(thief, tokens)


async def test_a_sign_in_that_still_lacks_its_second_factor_is_none(provider: Provider) -> None:
    _, username = await provider.open_person()
    mine, half = provider.web_front_end(), provider.front_end()
    tokens = await mine.tokens(username)
    app, _ = await set_up(provider, tokens)
    await half.second_page(username)
    page = await mine.http.get("/sign-in?next=sessions")
    missing = await mine.submit(page, username=username, password=PASSWORD)
    factor = await mine.http.get(missing.headers["location"])
    assert (await mine.submit(factor, way="app", code=app.code())).headers["location"] == PAGE
    assert len(listed(await mine.http.get(PAGE))) == 2


async def test_every_end_stands_in_the_audit(provider: Provider, front_end: FrontEnd) -> None:
    username, [(_, there), *_] = await three_places(provider)
    page = await opened(front_end, username)
    for what in (session_of(there), session_of(there), "others"):
        await end(front_end, page, what)
    person_id = UUID(str(claims_of(there.access)["sub"]))
    assert await recorded(provider, person_id) == ["identity.session.ended", "identity.sessions.ended"]
