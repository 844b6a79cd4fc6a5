"""Signing out at a client's request: asked by a page unless the client shows whose session it is, and back again."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from sqlalchemy import select, update

from database import utc_now
from identity.clients.tables import Client
from identity.sessions.tables import BrowserSession, TokenFamily

from .front_end import FrontEnd, Tokens
from .provider import Provider
from .system_clients import WEB, new_key, registered

END = "/oauth2/end-session"


async def signed_in(provider: Provider) -> tuple[FrontEnd, Tokens]:
    browser = provider.web_front_end()
    _, username = await provider.open_person()
    return browser, await browser.tokens(username)


def back(provider: Provider) -> str:
    return f"{provider.issuer}/docs"


async def still_signed_in(browser: FrontEnd, tokens: Tokens) -> bool:
    return (await browser.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 200


async def test_an_id_token_of_this_session_signs_out_at_once_and_leads_back(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    asked = {"id_token_hint": str(tokens.id_token), "post_logout_redirect_uri": back(provider), "state": "a b&c"}
    answer = await browser.http.get(END, params=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{back(provider)}?state=a+b%26c")
    assert not await still_signed_in(browser, tokens)
    assert (await browser.refresh(tokens.refresh)).json()["error"] == "invalid_grant"


async def test_an_expired_id_token_is_still_good_for_signing_out(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, tokens = await signed_in(provider)
    later = utc_now() + timedelta(hours=2)
    monkeypatch.setattr("identity.oauth.end_session.utc_now", lambda: later)
    assert (await browser.http.get(END, params={"id_token_hint": str(tokens.id_token)})).status_code == 200
    assert not await still_signed_in(browser, tokens)


async def test_without_an_id_token_the_person_is_asked_and_then_led_back(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    asked = {"client_id": "docs", "post_logout_redirect_uri": back(provider), "state": "s", "ui_locales": "zh"}
    page = await browser.http.get(END, params=asked)
    assert page.status_code == 200
    assert "要在这台设备上退出登录吗" in page.text
    assert f"form-action 'self' {provider.issuer}" in page.headers["content-security-policy"]
    assert await still_signed_in(browser, tokens)
    answer = await browser.submit(page)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{back(provider)}?state=s")
    assert not await still_signed_in(browser, tokens)


async def test_the_id_token_of_another_session_does_not_sign_this_one_out(provider: Provider) -> None:
    (browser, tokens), (_, others) = await signed_in(provider), await signed_in(provider)
    page = await browser.http.get(END, params={"id_token_hint": str(others.id_token)})
    assert "Do you want to sign out" in page.text
    assert await still_signed_in(browser, tokens)
    assert await still_signed_in(browser, others)


async def test_where_nobody_is_signed_in_the_client_gets_its_browser_back(provider: Provider) -> None:
    _, tokens = await signed_in(provider)
    nobody = provider.web_front_end()
    asked = {"id_token_hint": str(tokens.id_token), "post_logout_redirect_uri": back(provider)}
    answer = await nobody.http.get(END, params=asked)
    assert (answer.status_code, answer.headers["location"]) == (303, back(provider))
    assert await still_signed_in(nobody, tokens)


async def test_an_address_that_is_not_registered_leads_nowhere(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    good = back(provider)
    hint = {"id_token_hint": str(tokens.id_token)}
    for changed in (
        {"post_logout_redirect_uri": good},  # of whom?
        {**hint, "post_logout_redirect_uri": f"{good}/"},
        {**hint, "post_logout_redirect_uri": f"{good}?a=b"},
        {**hint, "post_logout_redirect_uri": good.upper()},
        {**hint, "post_logout_redirect_uri": "https://elsewhere.example/"},
        {**hint, "client_id": "command-line"},
        {"client_id": "nobody", "post_logout_redirect_uri": good},
        {"id_token_hint": tokens.access, "post_logout_redirect_uri": good},
        {"id_token_hint": "x.y.z"},
        {"id_token_hint": "x"},
    ):
        refused = await browser.http.get(END, params=changed)
        assert (refused.status_code, "location" in refused.headers) == (400, False), changed
    assert await still_signed_in(browser, tokens)


async def test_a_forged_id_token_is_refused(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    kid = (await provider.http.get("/oauth2/jwks")).json()["keys"][0]["kid"]
    claims: dict[str, Any] = {"iss": provider.issuer, "aud": ["docs"], "sub": "x", "sid": "x"}
    forged = jwt.encode({"alg": "ES256", "kid": kid}, claims, new_key(), algorithms=["ES256"])
    assert (await browser.http.get(END, params={"id_token_hint": forged})).status_code == 400
    assert await still_signed_in(browser, tokens)


async def test_a_client_may_post_its_request_and_another_site_cannot_post_the_answer(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    asked = {"client_id": "docs", "post_logout_redirect_uri": back(provider), "unknown": "x"}
    answer = await browser.http.post(END, data=asked)
    assert answer.status_code == 303
    assert httpx.URL(answer.headers["location"]).params.get("client_id") == "docs"
    assert "unknown" not in answer.headers["location"]
    page = await browser.http.get(answer.headers["location"])
    forged = await browser.http.post(str(page.url), data={"form_token": "guess"})
    assert forged.status_code == 303
    assert await still_signed_in(browser, tokens)


async def test_a_client_that_waits_for_its_review_leads_nobody_back(provider: Provider) -> None:
    client = await registered(provider, WEB)
    asked = {"client_id": client.client_id, "post_logout_redirect_uri": WEB["post_logout_redirect_uris"][0]}
    nobody = provider.web_front_end()
    assert (await nobody.http.get(END, params=asked)).status_code == 303
    async with provider.database.transaction() as session:
        mine = Client.client_id == client.client_id
        await session.execute(update(Client).where(mine).values(status="proposed"))
    assert (await nobody.http.get(END, params=asked)).status_code == 400


async def test_signing_out_ends_every_family_of_the_session_and_no_other(provider: Provider) -> None:
    browser, tokens = await signed_in(provider)
    _, others = await signed_in(provider)
    await browser.http.get(END, params={"id_token_hint": str(tokens.id_token)})
    async with provider.database.read() as session:
        query = select(TokenFamily.revoked_for).join(
            BrowserSession, BrowserSession.session_id == TokenFamily.session_id
        )
        ended = (await session.scalars(query.where(BrowserSession.ended_at.is_not(None)))).all()
    assert "signed_out" in ended
    assert await still_signed_in(browser, others)
