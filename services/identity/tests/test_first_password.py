"""The password that an account was opened with opens nothing but the page that asks for another, and not for ever."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update

import orgtree
from database import new_id, utc_now
from identity.accounts.tables import Credential
from identity.credentials.rules import FIRST_PASSWORD_LIFETIME
from identity.levels import FRESH_FOR_CREDENTIALS
from identity.sessions.tables import BrowserSession

from .authenticator import set_up
from .front_end import PASSWORD, FrontEnd, answer_of, tokens_of
from .phones import Phones
from .provider import ADMINISTRATOR_PASSWORD, Provider
from .test_recovery import ask

PAGE = "/sign-in/new-password"
OWN = "a password of my own"


async def given(front_end: FrontEnd, username: str, path: str | None = None, **changed: str | None) -> httpx.Response:
    """Give the first password on the sign-in page and follow to what comes then."""
    start = await front_end.http.get(path) if path else await front_end.authorize(**changed)
    page = await front_end.http.get(start.headers["location"]) if start.is_redirect else start
    sent = await front_end.submit(page, username=username, password=PASSWORD)
    assert sent.status_code == 303, sent.text
    return await front_end.http.get(sent.headers["location"])


async def expire(provider: Provider, person_id: UUID) -> None:
    async with provider.database.transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(Credential).where(Credential.account_id == person_id).values(first_until=past))


async def recorded(provider: Provider, person_id: UUID, action: str) -> int:
    async with provider.database.read() as session:
        found = "select count(*) from audit.entry where action = :action and subject = :subject and actor = subject"
        return int(await session.scalar(text(found), {"action": action, "subject": person_id}) or 0)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_who_came_by_the_first_password_chooses_another_and_goes_on_to_the_client(
    provider: Provider, front_end: FrontEnd, phones: Phones, language: str
) -> None:
    person_id, username = await provider.open_person(chosen=False)
    number = await phones.give(person_id)
    page = await given(front_end, username, ui_locales=language)
    assert page.url.path == PAGE
    assert ("Choose a password of your own" if language == "en" else "请设置自己的密码") in page.text
    assert "<script" not in page.text
    assert "http://127.0.0.1:8765" in page.headers["content-security-policy"]
    for unusable, told in (
        ("short", "8 to 128"),
        (username, "8 to 128"),
        ("woaini1314", "too common"),
        (PASSWORD, "another than"),
    ):
        refused = await front_end.submit(page, password=unusable)
        assert refused.status_code == 400, unusable
        assert language == "zh" or told in refused.text
    answer = answer_of(await front_end.submit(page, password=OWN))
    assert tokens_of(await front_end.redeem(answer.parameters["code"])).access
    assert await recorded(provider, person_id, "identity.password.changed") == 1
    assert (await phones.messages_to(number))[-1].template.startswith("password_changed.")
    assert (await provider.front_end().tokens(username, OWN)).access
    again = await provider.front_end().http.get("/sign-in")
    assert (await front_end.submit(again, username=username, password=PASSWORD)).status_code in {400, 403}


async def test_until_then_no_door_opens(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person(chosen=False)
    page = await given(front_end, username)
    assert page.url.path == PAGE
    web = await front_end.http.get("/oauth2/authorize", params=front_end.request())
    assert web.headers["location"].startswith("/sign-in?")
    silent = answer_of(await front_end.authorize(prompt="none"))
    assert silent.parameters["error"] in {"login_required", "interaction_required"}
    for path in ("/sign-in/security", "/sign-in/security/passkey", "/oauth2/device"):
        answer = await front_end.http.get(path)
        assert urlsplit(answer.headers["location"]).path == "/sign-in", path
    consent = await front_end.http.get("/oauth2/consent", params=front_end.request())
    assert urlsplit(consent.headers["location"]).path in {"/sign-in", PAGE}
    assert "signed in" not in (await front_end.http.get("/sign-in")).text
    second = await front_end.http.get("/sign-in/second-factor", params=front_end.request())
    assert urlsplit(second.headers["location"]).path == PAGE


async def test_a_form_from_elsewhere_changes_nothing(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person(chosen=False)
    await given(front_end, username)
    forged = await front_end.http.post(PAGE, data={"password": OWN, "form_token": "guessed"})
    assert forged.status_code == 403
    front_end.http.cookies.clear()
    nobody = await front_end.http.post(PAGE, data={"password": OWN})
    assert nobody.headers["location"] == "/sign-in"
    assert (await given(provider.front_end(), username)).url.path == PAGE


async def test_a_device_is_let_in_only_after_the_new_password(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person(chosen=False)
    sent_on = await front_end.http.get("/oauth2/device?user_code=BBBB-BBBB")
    page = await given(front_end, username, sent_on.headers["location"])
    assert page.url.path == PAGE
    assert parse_qs(page.url.query.decode())["next"] == ["device"]
    goes_on = await front_end.submit(page, password=OWN)
    assert urlsplit(goes_on.headers["location"]).path == "/oauth2/device"
    assert (await front_end.http.get(goes_on.headers["location"])).status_code == 200


async def test_who_signs_in_by_phone_is_not_held_up_and_the_password_is_as_soon_as_it_is_given(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person(chosen=False)
    number = await phones.give(person_id)
    start = await front_end.authorize()
    by_code = await front_end.http.get(start.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    code_page = await front_end.http.get((await front_end.submit(by_code, phone=number)).headers["location"])
    code = await phones.code_to(number)
    assert "code" in answer_of(await front_end.submit(code_page, code=code)).parameters
    raising = await front_end.http.get("/sign-in/second-factor", params=front_end.request(acr_values="2"))
    given_too = await front_end.submit(raising, way="password", password=PASSWORD)
    assert urlsplit(given_too.headers["location"]).path == PAGE
    page = await front_end.http.get(given_too.headers["location"])
    answer = answer_of(await front_end.submit(page, password=OWN))
    assert tokens_of(await front_end.redeem(answer.parameters["code"])).access


async def leave(provider: Provider, person_id: UUID) -> None:
    """Let the time go by in which a sign-in that was begun is gone on with."""
    mine = update(BrowserSession).where(BrowserSession.account_id == person_id)
    async with provider.database.transaction() as session:
        await session.execute(mine.values(signed_in_at=utc_now() - FRESH_FOR_CREDENTIALS - timedelta(seconds=1)))


async def test_a_browser_that_was_left_on_the_page_lets_nobody_take_the_account_later(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person(chosen=False)
    page = await given(front_end, username, "/sign-in")
    assert page.url.path == PAGE
    await leave(provider, person_id)
    for late in (await front_end.http.get(PAGE), await front_end.submit(page, password=OWN)):
        assert (late.status_code, late.headers["location"]) == (303, "/sign-in")
    again = await given(front_end, username, "/sign-in")
    assert again.url.path == PAGE
    assert (await front_end.submit(again, password=OWN)).status_code == 303
    assert (await provider.front_end().tokens(username, OWN)).access


async def test_a_second_factor_that_comes_late_begins_the_sign_in_anew(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    app, _ = await set_up(provider, await front_end.tokens(username))
    elsewhere = provider.front_end()
    page = await given(elsewhere, username, "/sign-in")
    assert page.url.path == "/sign-in/second-factor"
    await leave(provider, person_id)
    late = await elsewhere.submit(page, way="app", code=app.code())
    assert (late.status_code, late.headers["location"]) == (303, "/sign-in")
    again = await elsewhere.submit(await given(elsewhere, username, "/sign-in"), way="app", code=app.code())
    assert again.status_code == 303
    assert "signed in" in (await elsewhere.http.get("/sign-in")).text


async def test_the_second_factor_comes_before_the_new_password(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    app, _ = await set_up(provider, await front_end.tokens(username))
    async with provider.database.transaction() as session:
        first = {"first_until": utc_now() + FIRST_PASSWORD_LIFETIME}
        await session.execute(update(Credential).where(Credential.account_id == person_id).values(first))
    elsewhere = provider.front_end()
    page = await given(elsewhere, username)
    assert page.url.path == "/sign-in/second-factor"
    early = await elsewhere.http.get(PAGE, params=elsewhere.request())
    assert urlsplit(early.headers["location"]).path == "/sign-in/second-factor"
    then = await elsewhere.submit(page, way="app", code=app.code())
    assert urlsplit(then.headers["location"]).path == PAGE
    answer = answer_of(await elsewhere.submit(await elsewhere.http.get(then.headers["location"]), password=OWN))
    assert tokens_of(await elsewhere.redeem(answer.parameters["code"])).access


async def test_a_first_password_expires_and_only_who_knows_it_hears_of_it(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, username = await provider.open_person(chosen=False)
    number = await phones.give(person_id)
    await expire(provider, person_id)
    page = await front_end.http.get("/sign-in")
    expired = await front_end.submit(page, username=username, password=PASSWORD)
    assert (expired.status_code, "has expired" in expired.text) == (400, True)
    wrong = await front_end.submit(page, username=username, password="another password")
    unknown = await front_end.submit(page, username="nobody.at.all", password="another password")
    assert wrong.text == unknown.text
    assert "expired" not in wrong.text
    for _ in range(8):  # no guess: nobody is made to wait for it
        assert (await front_end.submit(page, username=username, password=PASSWORD)).status_code == 400
    answer = await ask(front_end, phones, number)
    password = await front_end.http.get(answer.headers["location"])
    assert "another than" in (await front_end.submit(password, password=PASSWORD)).text
    assert "signed out on all devices" in (await front_end.submit(password, password=OWN)).text
    assert (await provider.front_end().tokens(username, OWN)).access


async def test_two_who_know_the_first_password_do_not_both_choose(provider: Provider) -> None:
    _, username = await provider.open_person(chosen=False)
    one, other = provider.front_end(), provider.front_end()
    first, second = await given(one, username), await given(other, username)
    assert "code" in answer_of(await one.submit(first, password=OWN)).parameters
    late = await other.submit(second, password="the other's password")
    assert urlsplit(late.headers["location"]).path == "/sign-in"
    assert (await provider.front_end().tokens(username, OWN)).access


async def test_an_account_that_an_officer_opens_begins_with_a_first_password(provider: Provider) -> None:
    _, opener = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    username = f"new.{new_id().hex[-10:]}"
    body = {"organisation_id": str(orgtree.ROOT_ID), "username": username, "password": PASSWORD}
    assert (await provider.http.post("/v1/accounts", json=body, headers=opener.headers)).status_code == 201
    page = await given(provider.front_end(), username)
    assert page.url.path == PAGE
    assert PASSWORD != ADMINISTRATOR_PASSWORD


async def test_a_change_through_the_api_is_a_change(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    body = {"old_password": PASSWORD, "new_password": PASSWORD}
    same = await provider.http.post("/v1/me/password", json=body, headers=tokens.headers)
    assert (same.status_code, same.json()["type"]) == (422, "/problems/password_unchanged")
