"""A client may ask for a stronger or a fresher sign-in; the person gives what is missing and goes on (RFC 9470)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import update

from database import utc_now
from identity.factors.required import Owned, missing
from identity.levels import acr_of, joined, reaches, wanted_level
from identity.sessions.tables import BrowserSession

from .authenticator import claims, set_up
from .front_end import FrontEnd, answer_of, tokens_of
from .phones import Phones
from .provider import Provider


async def follow(front_end: FrontEnd, **changed: str | None) -> httpx.Response:
    """Send an authorization request and go to the page it leads to."""
    return await front_end.http.get((await front_end.authorize(**changed)).headers["location"])


async def test_a_session_is_asked_only_for_what_is_missing(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    await phones.give(person_id)
    number = await phones.give(person_id)
    browser = provider.web_front_end()
    await browser.tokens(username)
    page = await follow(browser, acr_values="2", state="kept")
    assert urlsplit(str(page.url)).path == "/sign-in/second-factor"
    assert 'name="password"' not in page.text
    page = await browser.submit(page)  # the button that sends a code
    wrong = await browser.submit(page, code="000000")
    assert wrong.status_code == 400
    answer = answer_of(await browser.submit(wrong, code=await phones.code_to(number)))
    assert answer.parameters["state"] == "kept"
    tokens = tokens_of(await browser.redeem(answer.parameters["code"]))
    for token in (tokens.access, tokens.id_token or ""):
        assert claims(token)["acr"] == "2"
    assert set(claims(tokens.id_token or "")["amr"]) == {"pwd", "sms", "mfa"}
    assert "code=" in (await browser.authorize(acr_values="2")).headers["location"]
    assert claims(tokens_of(await browser.refresh(tokens.refresh)).access)["acr"] == "2"


async def test_a_sign_in_by_phone_is_asked_for_the_password(provider: Provider, phones: Phones) -> None:
    from .test_sign_in_by_code import page_for_code  # noqa: PLC0415 - its helper only

    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    browser = provider.web_front_end()
    page = await page_for_code(browser, number, acr_values="2")
    given = await browser.submit(page, code=await phones.code_to(number))
    page = await browser.http.get(given.headers["location"])
    assert 'name="password"' in page.text
    assert (await browser.submit(page, password="not this one")).status_code == 400
    answer = answer_of(await browser.submit(page, password="correct horse"))
    assert claims(tokens_of(await browser.redeem(answer.parameters["code"])).access)["acr"] == "2"


@pytest.mark.parametrize("wanted", ["2", "3", "urn:of:nobody"])
async def test_what_the_account_cannot_reach_is_told_the_client(provider: Provider, wanted: str) -> None:
    _, username = await provider.open_person()
    browser = provider.web_front_end()
    await browser.tokens(username)
    answer = answer_of(await browser.authorize(acr_values=wanted))
    assert answer.parameters["error"] == "unmet_authentication_requirements"
    assert answer.parameters["state"] == "state-1"
    fresh = provider.web_front_end()
    given = await fresh.submit(await follow(fresh, acr_values=wanted), username=username, password="correct horse")
    assert answer_of(given).parameters["error"] == "unmet_authentication_requirements"


async def test_a_client_that_wants_no_question_is_told_that_one_is_needed(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    await phones.give(person_id)
    browser = provider.web_front_end()
    await browser.tokens(username)
    answer = answer_of(await browser.authorize(acr_values="2", prompt="none"))
    assert answer.parameters["error"] == "interaction_required"


async def test_a_session_that_is_too_old_begins_anew_with_both_factors(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    browser = provider.web_front_end()
    app, _ = await set_up(provider, await browser.tokens(username))
    page = await browser.second_page(username, prompt="login")
    answer_of(await browser.submit(page, code=app.code()))
    assert "code=" in (await browser.authorize(acr_values="2", max_age="600")).headers["location"]
    long_ago = utc_now() - timedelta(minutes=11)
    async with provider.database.transaction() as session:
        await session.execute(
            update(BrowserSession).where(BrowserSession.account_id == person_id).values(signed_in_at=long_ago)
        )
    page = await follow(browser, acr_values="2", max_age="600")
    assert urlsplit(str(page.url)).path == "/sign-in"
    given = await browser.submit(page, username=username, password="correct horse")
    page = await browser.http.get(given.headers["location"])
    answer = answer_of(await browser.submit(page, code=app.code()))
    told = claims(tokens_of(await browser.redeem(answer.parameters["code"])).access)
    assert (told["acr"], told["auth_time"] > long_ago.timestamp() + 600) == ("2", True)


async def test_a_second_factor_later_raises_the_level_and_not_the_time(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    browser = provider.web_front_end()
    await browser.tokens(username)
    an_hour_ago = utc_now() - timedelta(hours=1)
    async with provider.database.transaction() as session:
        await session.execute(
            update(BrowserSession).where(BrowserSession.account_id == person_id).values(signed_in_at=an_hour_ago)
        )
    page = await browser.submit(await follow(browser, acr_values="2"))
    answer = answer_of(await browser.submit(page, code=await phones.code_to(number)))
    told = claims(tokens_of(await browser.redeem(answer.parameters["code"])).access)
    assert (told["acr"], told["auth_time"]) == ("2", int(an_hour_ago.timestamp()))


async def test_a_form_of_elsewhere_gives_no_second_factor(provider: Provider) -> None:
    _, username = await provider.open_person()
    app, _ = await set_up(provider, await provider.front_end().tokens(username))
    browser = provider.front_end()
    page = await browser.second_page(username)
    for token in ("", "forged"):
        refused = await browser.http.post(str(page.url), data={"form_token": token, "way": "app", "code": app.code()})
        assert refused.status_code == 403
    nobody = provider.front_end()
    to_sign_in = await nobody.http.get("/sign-in/second-factor", params=nobody.request())
    assert to_sign_in.headers["location"].startswith("/sign-in?")
    assert parse_qs(urlsplit(to_sign_in.headers["location"]).query)["client_id"] == [nobody.client_id]


async def test_the_page_gives_the_session_another_cookie(provider: Provider) -> None:
    _, username = await provider.open_person()
    app, _ = await set_up(provider, await provider.front_end().tokens(username))
    browser = provider.front_end()
    page = await browser.second_page(username)
    before = browser.http.cookies["session"]
    await browser.submit(page, code=app.code())
    assert browser.http.cookies["session"] != before


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        (["pwd"], "1"),
        (["sms"], "1"),
        (["wechat"], "1"),
        (["sms", "otp"], "1"),
        (["pwd", "sms"], "2"),
        (["pwd", "otp"], "2"),
        (["wechat", "pwd"], "2"),
        (["hwk"], "1"),
        (["hwk", "user"], "3"),
        (["swk", "user"], "3"),
        ([], "1"),
        (["mfa"], "1"),
    ],
)
def test_the_level_follows_from_the_ways(amr: list[str], acr: str) -> None:
    assert acr_of(amr) == acr
    assert ("mfa" in joined(amr)) is (acr != "1")


def test_what_is_missing_is_never_the_same_kind_of_factor_again() -> None:
    everything = Owned(password=True, phone=True, totp=True, recovery_code=True, passkey=True)
    assert missing(everything, ["pwd"], None) == (("totp", "recovery_code", "passkey"),)
    assert missing(everything, ["sms"], "2") == (("totp", "recovery_code", "passkey"),)
    assert missing(everything, ["sms", "otp"], "2") == (("password", "passkey"),)
    assert missing(everything, ["pwd", "otp"], "2") is None
    assert missing(everything, ["pwd", "otp"], "3") == (("passkey",),)
    no_app = everything._replace(totp=False)
    assert missing(no_app, ["pwd"], None) is None
    assert missing(no_app, ["pwd"], "2") == (("sms", "passkey"),)
    assert missing(no_app._replace(phone=False, passkey=False), ["pwd"], "2") == ((),)


def test_any_of_the_levels_a_client_names_will_do() -> None:
    assert [wanted_level(named) for named in (None, "", "2", "3 2", "gold", "gold 3")] == [
        None, None, "2", "2", "", "3",
    ]  # fmt: skip
    assert not reaches("gold", "1")
    assert not reaches("1", "gold")
