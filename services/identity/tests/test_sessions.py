"""People see where they are signed in and end it, and every end is told to the other services once."""

import asyncio
import base64
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

import orgtree
from database import new_id, utc_now
from identity.accounts.authorization import AccountUnknown, raise_authorization_version
from identity.accounts.tables import Account
from identity.sessions.devices import device_label, device_of

from .front_end import FrontEnd, Tokens
from .provider import Provider
from .told import changes_of, is_told_revoked

PHONE = "Mozilla/5.0 (Linux; Android 14; V2307A) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36"
WECHAT = f"{PHONE} MicroMessenger/8.0.50"


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def session_of(tokens: Tokens) -> str:
    return str(claims_of(tokens.access)["sid"])


async def sessions(provider: Provider, tokens: Tokens, **parameters: Any) -> list[dict[str, Any]]:
    answer = await provider.http.get("/v1/me/sessions", params=parameters, headers=tokens.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def refreshes(front_end: FrontEnd, tokens: Tokens) -> bool:
    return (await front_end.refresh(tokens.refresh)).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "zh", "en"),
    [
        (PHONE, "安卓设备上的Chrome 浏览器", "Chrome on Android"),
        (WECHAT, "安卓设备上的微信", "WeChat on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1",
            "苹果手机或平板上的Safari 浏览器",
            "Safari on iOS",
        ),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) Chrome/114.0 Safari/537.36 ArkWeb/4.1 HuaweiBrowser/5.0",
            "鸿蒙设备上的华为浏览器",
            "Huawei Browser on HarmonyOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Windows 电脑上的Edge 浏览器",
            "Edge on Windows",
        ),
        ("Firefox/130.0", "未知设备上的火狐浏览器", "Firefox on an unknown system"),
        ("curl/8.5.0 zhang.san@example.org", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_device_is_told_in_coarse_words(user_agent: str | None, zh: str | None, en: str | None) -> None:
    words = device_of(user_agent)
    assert (device_label(words, "zh"), device_label(words, "en")) == (zh, en)


async def test_a_person_sees_their_own_sessions_alone(provider: Provider) -> None:
    _, name = await provider.open_person()
    await provider.signed_in()
    phone, desk = provider.front_end(), provider.front_end()
    phone.http.headers["User-Agent"] = PHONE
    first, second = await phone.tokens(name), await desk.tokens(name)
    shown = await sessions(provider, second)
    assert [item["session_id"] for item in shown] == [session_of(second), session_of(first)]
    assert [item["current"] for item in shown] == [True, False]
    assert [item["device"] for item in shown] == [None, "Chrome on Android"]
    assert shown[1].keys() == {
        "session_id", "client_id", "client_name_zh", "client_name_en", "device", "acr", "signed_in_at", "last_seen_at",
        "current",
    }  # fmt: skip
    assert (shown[1]["client_id"], shown[1]["acr"]) == ("command-line", "1")
    assert shown[1]["last_seen_at"].endswith(":00Z")
    page = await provider.http.get("/v1/me/sessions", params={"limit": 1}, headers=second.headers)
    rest = await sessions(provider, second, limit=1, cursor=page.json()["next_cursor"])
    assert [item["session_id"] for item in rest] == [session_of(first)]


async def test_a_sign_in_without_a_client_is_listed_and_ended_by_its_owner_alone(provider: Provider) -> None:
    _, name = await provider.open_person()
    browser, mine = provider.front_end(), await provider.front_end().tokens(name)
    _, strangers = await provider.signed_in()
    page = await browser.http.get("/sign-in?next=sessions")
    await browser.submit(page, username=name, password="correct horse")
    [sign_in] = [item for item in await sessions(provider, mine) if item["session_id"] != session_of(mine)]
    assert [sign_in[key] for key in ("client_id", "client_name_zh", "current")] == [None, None, False]
    assert (sign_in["acr"], sign_in["last_seen_at"][-4:]) == ("1", ":00Z")
    path = f"/v1/me/sessions/{sign_in['session_id']}"
    assert (await provider.http.delete(path, headers=strangers.headers)).status_code == 404
    assert (await provider.http.delete(path, headers=mine.headers)).status_code == 204
    assert [item["session_id"] for item in await sessions(provider, mine)] == [session_of(mine)]
    assert (await browser.http.get("/sign-in/sessions")).headers["location"].startswith("/sign-in?")


async def test_a_session_that_is_ended_refreshes_no_more_and_is_told_once(provider: Provider) -> None:
    person, name = await provider.open_person()
    lost, kept = provider.front_end(), provider.front_end()
    there, here = await lost.tokens(name), await kept.tokens(name)
    for _ in range(2):
        answer = await provider.http.delete(f"/v1/me/sessions/{session_of(there)}", headers=here.headers)
        assert (answer.status_code, answer.content) == (204, b"")
    assert await is_told_revoked(provider.database, session_of(there))
    assert not await refreshes(lost, there)
    assert [item["session_id"] for item in await sessions(provider, here)] == [session_of(here)]
    assert await changes_of(provider.database, person) == []
    assert await refreshes(kept, here)


async def test_the_browser_of_an_ended_session_has_to_sign_in_again(provider: Provider) -> None:
    _, name = await provider.open_person()
    web = provider.web_front_end()
    tokens = await web.tokens(name)
    assert (await web.authorize()).headers["location"].startswith(web.redirect_uri)
    await provider.http.delete(f"/v1/me/sessions/{session_of(tokens)}", headers=tokens.headers)
    assert "/sign-in" in (await web.authorize()).headers["location"]


async def test_nobody_ends_a_session_of_somebody_else(provider: Provider) -> None:
    front_end = provider.front_end()
    _, name = await provider.open_person()
    theirs = await front_end.tokens(name)
    _, mine = await provider.signed_in()
    for session_id in (session_of(theirs), new_id()):
        answer = await provider.http.delete(f"/v1/me/sessions/{session_id}", headers=mine.headers)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not_found")
    assert await refreshes(front_end, theirs)


async def test_signing_out_everywhere_else_keeps_the_session_that_asks(provider: Provider) -> None:
    person, name = await provider.open_person()
    here, there, web = provider.front_end(), provider.front_end(), provider.web_front_end()
    kept, ended, others = await here.tokens(name), await there.tokens(name), await web.tokens(name)
    answer = await provider.http.post("/v1/me/sessions/revocation", json={"keep_current": True}, headers=kept.headers)
    assert (answer.status_code, answer.json()) == (200, {"ended": 2})
    assert [await refreshes(*each) for each in ((here, kept), (there, ended), (web, others))] == [True, False, False]
    assert "/sign-in" in (await web.authorize()).headers["location"]
    assert await is_told_revoked(provider.database, session_of(ended))
    assert not await is_told_revoked(provider.database, session_of(kept))
    assert await changes_of(provider.database, person) == []


async def test_signing_out_everywhere_ends_every_token_and_code_there_is(provider: Provider) -> None:
    person, name = await provider.open_person()
    here, waiting = provider.front_end(), provider.front_end()
    tokens = await here.tokens(name)
    code = (await waiting.sign_in(name)).parameters["code"]
    headers = {**tokens.headers, "Idempotency-Key": "everywhere-1"}
    body = {"keep_current": False}
    for _ in range(2):
        answer = await provider.http.post("/v1/me/sessions/revocation", json=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"ended": 1})
    assert not await refreshes(here, tokens)
    refused = await waiting.redeem(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert await is_told_revoked(provider.database, session_of(tokens))
    assert await changes_of(provider.database, person) == [(1, 2)]
    assert claims_of((await here.tokens(name)).access)["authorization_version"] == 2


async def test_a_code_redeemed_while_the_person_signs_out_everywhere_gives_nothing_that_lasts(
    provider: Provider,
) -> None:
    for _ in range(5):
        _, name = await provider.open_person()
        asking = await provider.front_end().tokens(name)
        redeeming = provider.front_end()
        code = (await redeeming.sign_in(name)).parameters["code"]
        body = {"keep_current": False}
        redeemed, _ = await asyncio.gather(
            redeeming.redeem(code),
            provider.http.post("/v1/me/sessions/revocation", json=body, headers=asking.headers),
        )
        if redeemed.status_code == 200:
            content = redeemed.json()
            assert (await redeeming.refresh(content["refresh_token"])).status_code == 400
            assert claims_of(content["access_token"])["authorization_version"] < 2
        else:
            assert redeemed.json()["error"] == "invalid_grant"


async def test_replays_are_told_to_the_other_services(provider: Provider) -> None:
    front_end = provider.front_end()
    _, name = await provider.open_person()
    answer = await front_end.sign_in(name)
    redeemed = (await front_end.redeem(answer.parameters["code"])).json()
    await front_end.redeem(answer.parameters["code"])
    assert await is_told_revoked(provider.database, claims_of(redeemed["access_token"])["sid"])
    tokens = await front_end.tokens(name)
    successor = (await front_end.refresh(tokens.refresh)).json()["refresh_token"]
    await front_end.refresh(successor)
    await front_end.refresh(tokens.refresh)
    assert await is_told_revoked(provider.database, session_of(tokens))


async def test_changes_of_an_account_are_told_without_a_gap_however_it_came_to_its_version(provider: Provider) -> None:
    person, _ = await provider.open_person(("officer", orgtree.ROOT_ID))
    async with provider.database.transaction() as session:  # as databases of before may hold it
        changed = update(Account).where(Account.account_id == person)
        await session.execute(changed.values(authorization_version=Account.authorization_version + 5))

    async def change() -> None:
        async with provider.database.transaction() as session:
            await raise_authorization_version(session, person, now=utc_now(), actor=new_id())

    await asyncio.gather(*(change() for _ in range(4)))
    assert await changes_of(provider.database, person) == [(1, 2), (2, 8), (3, 9), (4, 10), (5, 11)]


async def test_an_account_that_does_not_exist_has_no_version(provider: Provider) -> None:
    with pytest.raises(AccountUnknown):
        async with provider.database.transaction() as session:
            await raise_authorization_version(session, new_id(), now=utc_now())


async def test_a_security_administrator_signs_somebody_out_within_their_remit(provider: Provider) -> None:
    county = await provider.establish()
    front_end = provider.front_end()
    person, name = await provider.open_person()
    tokens = await front_end.tokens(name)
    path = f"/v1/accounts/{person}/sessions/revocation"

    async def ask(headers: dict[str, str], asked: str = path) -> httpx.Response:
        return await provider.http.post(asked, headers=headers)

    _, elsewhere = await provider.signed_in(("security_administrator", county))
    _, officer = await provider.signed_in(("officer", orgtree.ROOT_ID))
    _, security = await provider.signed_in(("security_administrator", orgtree.ROOT_ID))
    assert (await ask(elsewhere.headers)).status_code == 404
    assert (await ask(officer.headers)).json()["type"] == "/problems/permission_missing"
    assert (await ask(security.headers, f"/v1/accounts/{new_id()}/sessions/revocation")).status_code == 404
    assert await refreshes(front_end, tokens)
    answer = await ask(security.headers)
    assert (answer.status_code, answer.json()) == (200, {"ended": 1})
    assert await is_told_revoked(provider.database, session_of(tokens))
    assert await changes_of(provider.database, UUID(str(person))) == [(1, 2)]
