"""WeChat linked to an account and used to sign in; a forged state or a code that was used leads nowhere (check 20)."""

import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, text, update

from database import utc_now
from identity import wechat as wechat_client
from identity.factors.tables import FederatedIdentity, WechatVisit
from identity.purposes.rules import PURPOSES
from identity.purposes.tables import Consent
from identity.sign_in import by_wechat
from identity.throttling.rules import Limit
from testkit.databases import Template, TestDatabases
from testkit.wechat import APP_ID, KEY, Somebody, WechatServer

from .authenticator import claims, set_up
from .front_end import FrontEnd, answer_of, tokens_of
from .provider import Provider, running


class Place(NamedTuple):
    """An identity that offers WeChat, and that WeChat."""

    provider: Provider
    wechat: WechatServer


@pytest_asyncio.fixture(scope="module")
async def place(databases: TestDatabases, database_template: Template) -> AsyncIterator[Place]:
    with WechatServer() as wechat:
        async with databases.database(database_template) as url, running(url, **wechat.settings) as provider:
            yield Place(provider, wechat)


@pytest.fixture
def somebody(place: Place) -> Somebody:
    person = Somebody(f"o{secrets.token_urlsafe(20)}")
    place.wechat.visitor, place.wechat.failing = person, None
    return person


async def linked(place: Place, browser: FrontEnd, username: str) -> httpx.Response:
    """Sign in by password and link whoever is at WeChat; give what comes of it."""
    await browser.tokens(username)
    return await back(browser, await sent_to_link(browser))


async def sent_to_link(browser: FrontEnd) -> str:
    """Press the button on the page of one's ways in; give the address at WeChat."""
    page = await browser.http.get("/sign-in/security")
    form = re.search(r'<form method="post" action="/sign-in/wechat/start">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None, page.text
    token = re.search(r'name="form_token" value="([^"]*)"', form[1])
    assert token is not None
    assert PURPOSES["wechat"].en in unescape(form[1])
    agreed_to = {"form_token": unescape(token[1]), "text_version": str(PURPOSES["wechat"].version)}
    unread = await browser.http.post("/sign-in/wechat/start", data={**agreed_to, "text_version": "0"})
    assert unread.headers["location"] == "/sign-in/security"
    sent = await browser.http.post("/sign-in/wechat/start", data=agreed_to)
    return str(sent.headers["location"])


async def sent_to_sign_in(browser: FrontEnd, **changed: str | None) -> str:
    """Press the button on the first page; give the address at WeChat."""
    page = await browser.http.get((await browser.authorize(**changed)).headers["location"])
    link = re.search(r'href="(/sign-in/wechat/start[^"]*)"', page.text)
    assert link is not None, page.text
    return str((await browser.http.get(unescape(link[1]))).headers["location"])


async def back(browser: FrontEnd, address: str) -> httpx.Response:
    """Let whoever is at WeChat agree, and come back."""
    return await browser.http.get(await agreed(browser, address))


async def agreed(browser: FrontEnd, address: str) -> str:
    return str((await browser.http.get(address)).headers["location"])


async def test_a_linked_account_signs_in_by_wechat(place: Place, somebody: Somebody) -> None:
    person_id, username = await place.provider.open_person()
    done = await linked(place, place.provider.web_front_end(), username)
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in/security")
    browser = place.provider.front_end()
    answer = answer_of(await back(browser, await sent_to_sign_in(browser, state="kept")))
    assert answer.parameters["state"] == "kept"
    told = claims(tokens_of(await browser.redeem(answer.parameters["code"])).access)
    assert (told["sub"], told["acr"]) == (str(person_id), "1")
    async with place.provider.database.read() as session:
        dumped = (await session.execute(text("select string_agg(f::text, '') from federated_identity f"))).scalar_one()
        consent = await session.scalar(select(Consent).where(Consent.person_id == person_id))
    assert consent is not None
    assert (consent.purpose, consent.text_version, consent.withdrawn_at) == ("wechat", 1, None)
    assert somebody.openid not in dumped
    assert somebody.openid.encode().hex() not in dumped


async def test_the_browser_goes_where_the_documentation_says(place: Place, somebody: Somebody) -> None:
    address = urlsplit(await sent_to_sign_in(place.provider.front_end()))
    asked = parse_qs(address.query)
    assert (address.path, address.fragment) == ("/connect/qrconnect", "wechat_redirect")
    assert list(asked) == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert asked["redirect_uri"] == [f"{place.provider.issuer}/sign-in/wechat"]
    assert asked["appid"] == [APP_ID]
    assert KEY not in address.geturl()


async def test_a_forged_state_is_refused(place: Place, somebody: Somebody) -> None:
    _, username = await place.provider.open_person()
    await linked(place, place.provider.web_front_end(), username)
    victim, attacker = place.provider.front_end(), place.provider.front_end()
    mine = await agreed(attacker, await sent_to_sign_in(attacker))
    exchanges = place.wechat.exchanges
    for forged in (
        re.sub(r"state=[^&]*", "state=forged", mine),
        re.sub(r"state=[^&]*", "state=", mine),
        re.sub(r"&?state=[^&]*", "", mine),
        mine,  # a good one, of another browser
    ):
        await sent_to_sign_in(victim)
        refused = await victim.http.get(forged)
        assert refused.status_code == 400
        assert "session" not in victim.http.cookies
    assert place.wechat.exchanges == exchanges  # no code of a stranger is redeemed
    assert (await attacker.http.get(mine)).status_code == 303  # whose it was can still use it


async def test_a_state_and_a_code_are_good_once(place: Place, somebody: Somebody) -> None:
    _, username = await place.provider.open_person()
    await linked(place, place.provider.web_front_end(), username)
    browser = place.provider.front_end()
    came = await agreed(browser, await sent_to_sign_in(browser))
    assert (await browser.http.get(came)).status_code == 303
    browser.http.cookies.delete("session")
    assert (await browser.http.get(came)).status_code == 400
    code = parse_qs(urlsplit(came).query)["code"][0]
    fresh = await agreed(browser, await sent_to_sign_in(browser))
    replayed = await browser.http.get(re.sub(r"code=[^&]*", f"code={code}", fresh))
    assert replayed.status_code == 400
    assert code not in replayed.text
    assert "session" not in browser.http.cookies


async def test_a_state_runs_out_after_ten_minutes(place: Place, somebody: Somebody) -> None:
    browser = place.provider.front_end()
    came = await agreed(browser, await sent_to_sign_in(browser))
    async with place.provider.database.transaction() as session:
        await session.execute(update(WechatVisit).values(expires_at=utc_now()))
    assert (await browser.http.get(came)).status_code == 400


async def test_somebody_who_is_linked_to_nobody_or_does_not_agree_is_not_let_in(
    place: Place, somebody: Somebody
) -> None:
    browser = place.provider.front_end()
    refused = await back(browser, await sent_to_sign_in(browser))
    assert refused.status_code == 403
    assert "linked to no account" in refused.text
    place.wechat.visitor = None
    assert (await back(browser, await sent_to_sign_in(browser))).status_code == 400
    assert "session" not in browser.http.cookies


@pytest.mark.parametrize(("errcode", "status"), [(-1, 503), (40125, 503), (40029, 400), (40163, 400)])
async def test_errors_that_come_with_status_200_are_errors(
    place: Place, somebody: Somebody, errcode: int, status: int
) -> None:
    browser = place.provider.front_end()
    place.wechat.failing = errcode
    assert (await back(browser, await sent_to_sign_in(browser))).status_code == status


async def test_a_wechat_that_does_not_answer_ends_in_a_page(
    place: Place, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechat_client, "LONGEST_SECONDS", 0.2)
    browser = place.provider.front_end()
    place.wechat.hanging = True
    try:
        assert (await back(browser, await sent_to_sign_in(browser))).status_code == 503
    finally:
        place.wechat.hanging = False


async def test_linking_needs_a_fresh_sign_in_and_our_own_form(place: Place, somebody: Somebody) -> None:
    person_id, username = await place.provider.open_person()
    browser = place.provider.web_front_end()
    for form in ({}, {"form_token": "forged"}):
        answer = await browser.http.post("/sign-in/wechat/start", data=form)
        assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
    await browser.tokens(username)
    address = await sent_to_link(browser)
    assert address.startswith(place.wechat.url)
    async with place.provider.database.transaction() as session:
        await session.execute(
            text("update session set signed_in_at = signed_in_at - interval '11 minutes' where account_id = :p"),
            {"p": person_id},
        )
    await back(browser, address)
    async with place.provider.database.read() as session:
        found = await session.scalars(select(FederatedIdentity).where(FederatedIdentity.account_id == person_id))
        assert found.all() == []


async def test_the_link_of_one_browser_is_not_finished_in_anothers_session(place: Place, somebody: Somebody) -> None:
    (_, attacker_name), (victim_id, victim_name) = [await place.provider.open_person() for _ in range(2)]
    attacker, victim = place.provider.web_front_end(), place.provider.web_front_end()
    await attacker.tokens(attacker_name)
    await victim.tokens(victim_name)
    came = await agreed(attacker, await sent_to_link(attacker))
    assert (await victim.http.get(came)).status_code == 400
    async with place.provider.database.read() as session:
        found = await session.scalars(select(FederatedIdentity).where(FederatedIdentity.account_id == victim_id))
        assert found.all() == []


async def test_one_wechat_account_is_linked_to_one_person(place: Place, somebody: Somebody) -> None:
    (_, first), (_, second) = [await place.provider.open_person() for _ in range(2)]
    assert (await linked(place, place.provider.web_front_end(), first)).status_code == 303
    assert (await linked(place, place.provider.web_front_end(), second)).status_code == 409


async def test_somebody_known_by_openid_is_known_by_unionid_from_then_on(place: Place, somebody: Somebody) -> None:
    person_id, username = await place.provider.open_person()
    await linked(place, place.provider.web_front_end(), username)
    union = f"u{secrets.token_urlsafe(20)}"
    for visitor in (somebody._replace(unionid=union), Somebody("another-openid", union)):
        place.wechat.visitor = visitor
        browser = place.provider.front_end()
        answer = answer_of(await back(browser, await sent_to_sign_in(browser)))
        told = claims(tokens_of(await browser.redeem(answer.parameters["code"])).access)
        assert told["sub"] == str(person_id)


async def test_an_account_with_an_app_gives_its_code_after_wechat_too(place: Place, somebody: Somebody) -> None:
    _, username = await place.provider.open_person()
    browser = place.provider.web_front_end()
    await linked(place, browser, username)
    app, _ = await set_up(place.provider, await browser.tokens(username, prompt="login"))
    other = place.provider.front_end()
    sent = await back(other, await sent_to_sign_in(other))
    assert sent.headers["location"].startswith("/sign-in/second-factor?")
    page = await other.http.get(sent.headers["location"])
    assert "code" in answer_of(await other.submit(page, code=app.code())).parameters


async def test_the_owner_unlinks(place: Place, somebody: Somebody) -> None:
    _, username = await place.provider.open_person()
    browser = place.provider.web_front_end()
    await linked(place, browser, username)
    tokens = await browser.tokens(username, prompt="login")
    http = place.provider.http
    status = (await http.get("/v1/me/wechat", headers=tokens.headers)).json()
    assert status["offered"]
    assert status["linked_at"]
    assert (await http.delete("/v1/me/wechat", headers=tokens.headers)).status_code == 204
    assert (await http.delete("/v1/me/wechat", headers=tokens.headers)).status_code == 404
    other = place.provider.front_end()
    assert (await back(other, await sent_to_sign_in(other))).status_code == 403


async def test_without_settings_the_way_is_not_offered(provider: Provider, front_end: FrontEnd) -> None:
    page = await front_end.http.get((await front_end.authorize()).headers["location"])
    assert "wechat" not in page.text
    assert (await front_end.http.get("/sign-in/wechat/start")).status_code == 503
    assert (await front_end.http.get("/sign-in/wechat?code=a&state=b")).status_code == 400


async def test_an_address_begins_so_many_visits_and_then_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_wechat, "PER_ADDRESS", Limit(1, timedelta(hours=1)))
    async with place.provider.database.transaction() as session:
        await session.execute(text("delete from rate_count"))
    statuses = [(await place.provider.front_end().http.get("/sign-in/wechat/start")).status_code for _ in range(2)]
    assert statuses == [303, 429]
