"""A request that demands a sign-in is answered after one that was made for it, whichever page is visited first."""

import time
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import update

from identity.secrets import hash_of
from identity.sessions.tables import BrowserSession

from .authenticator import claims, set_up
from .front_end import PASSWORD, FrontEnd, answer_of, tokens_of
from .phones import Phones
from .provider import Provider
from .test_consent import allowed, asked, others, sign_in

__all__ = ["others"]  # the fixture

CONSENT, SECOND_FACTOR = "/oauth2/consent", "/sign-in/second-factor"


def leads_to(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


async def posted(front_end: FrontEnd, page: str, request: dict[str, str], **fields: str) -> httpx.Response:
    """Send the form of a page without having been shown it, as a hand at the owner's browser could."""
    token = front_end.http.cookies["form"]
    return await front_end.http.post(page, params=request, data={"form_token": token, **fields})


async def grow_older(provider: Provider, front_end: FrontEnd, by: timedelta) -> None:
    """Let the sign-in of this browser, the only one of its person, be longer ago."""
    here = BrowserSession.cookie_hash == hash_of(front_end.http.cookies["session"])
    async with provider.database.transaction() as session:
        await session.execute(update(BrowserSession).where(here).values(signed_in_at=BrowserSession.signed_in_at - by))


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"prompt": "login consent"}, {"max_age": "1"}])
async def test_a_sign_in_of_a_moment_ago_does_not_answer_a_request_that_demands_a_new_one(
    provider: Provider, others: FrontEnd, demand: dict[str, str]
) -> None:
    _, username = await provider.open_person()
    await allowed(others, username)
    await grow_older(provider, others, timedelta(seconds=5))
    request = others.request(**demand, state="another")
    assert leads_to(await others.http.get(CONSENT, params=request)) == "/sign-in"
    assert leads_to(await posted(others, CONSENT, request, decision="approve")) == "/sign-in"
    assert leads_to(await others.http.get("/oauth2/authorize", params=request)) == "/sign-in"
    assert leads_to(await posted(others, CONSENT, request, decision="approve")) == "/sign-in"


async def test_the_answer_to_one_request_does_not_answer_another(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username, prompt="login"))
    other = others.request(prompt="login", state="another")
    assert leads_to(await others.http.get(CONSENT, params=other)) == "/sign-in"
    assert leads_to(await posted(others, CONSENT, other, decision="approve")) == "/sign-in"
    assert answer_of(await others.submit(page, decision="approve")).parameters["state"] == "state-1"


async def test_a_request_is_answered_once(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username, prompt="login"))
    assert answer_of(await others.submit(page, decision="approve")).parameters["code"]
    assert leads_to(await others.submit(page, decision="approve")) == "/sign-in"


async def test_the_normal_way_gives_a_code_of_a_sign_in_after_the_request(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    await allowed(others, username)
    await grow_older(provider, others, timedelta(minutes=5))
    asked_at = int(time.time())
    page = await asked(others, await sign_in(others, username, prompt="login consent"))
    chinese = await others.http.get(f"{page.url}&ui_locales=zh")
    assert chinese.status_code == 200
    code = answer_of(await others.submit(chinese, decision="approve")).parameters["code"]
    tokens = tokens_of(await others.redeem(code))
    assert claims(tokens.id_token or "")["auth_time"] >= asked_at


async def test_the_way_with_a_second_factor_and_consent_gives_a_code(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    app, _ = await set_up(provider, await provider.front_end().tokens(username))
    asked_at = int(time.time())
    second = await others.second_page(username, PASSWORD, prompt="login", acr_values="2", max_age="0")
    page = await asked(others, await others.submit(second, code=app.code()))
    tokens = tokens_of(await others.redeem(answer_of(await others.submit(page, decision="approve")).parameters["code"]))
    said = claims(tokens.id_token or "")
    assert (said["acr"], said["auth_time"] >= asked_at) == ("2", True)


@pytest.mark.parametrize("demand", [{"prompt": "login"}, {"max_age": "1"}])
async def test_a_second_factor_alone_is_no_new_sign_in(
    provider: Provider, phones: Phones, demand: dict[str, str]
) -> None:
    person_id, username = await provider.open_person()
    await phones.give(person_id)
    browser = provider.web_front_end()
    await browser.tokens(username)
    await grow_older(provider, browser, timedelta(seconds=5))
    request = browser.request(**demand, acr_values="2")
    assert leads_to(await browser.http.get(SECOND_FACTOR, params=request)) == "/sign-in"
    assert leads_to(await posted(browser, SECOND_FACTOR, request, way="send")) == "/sign-in"


async def test_whoever_takes_too_long_over_the_page_signs_in_again(provider: Provider, others: FrontEnd) -> None:
    _, username = await provider.open_person()
    page = await asked(others, await sign_in(others, username, max_age="60"))
    await grow_older(provider, others, timedelta(minutes=5))
    assert (await others.http.get(str(page.url))).status_code == 200
    await grow_older(provider, others, timedelta(minutes=6))
    assert leads_to(await others.submit(page, decision="approve")) == "/sign-in"


async def test_a_request_that_demands_nothing_is_agreed_to_in_a_session_that_was_there(
    provider: Provider, others: FrontEnd
) -> None:
    _, username = await provider.open_person()
    await allowed(others, username, scope="openid")
    await grow_older(provider, others, timedelta(hours=1))
    page = await asked(others, await others.authorize(scope="openid profile", max_age="86400"))
    assert answer_of(await others.submit(page, decision="approve")).parameters["code"]
