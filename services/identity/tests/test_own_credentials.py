"""Changing one's own password and phone, and what a password may be."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

import orgtree
from database import new_id, utc_now
from identity.accounts.phones import normalised_phone
from identity.accounts.tables import Identifier
from identity.credentials.passwords import Passwords, TooManySignIns
from identity.credentials.rules import PasswordTooCommon, PasswordUnusable, normalised_password, require_password
from identity.sessions.tables import TokenFamily
from identity.throttling.tables import GuessCount, RateCount

from .front_end import PASSWORD, Tokens
from .phones import Phones, new_number
from .provider import Provider
from .step_up import by_code_too

NEW = "a better password"


async def put_phone(provider: Provider, tokens: Tokens, number: str) -> httpx.Response:
    return await provider.http.post("/v1/me/phone", json={"phone": number}, headers=tokens.headers)


async def confirm(provider: Provider, tokens: Tokens, sent: httpx.Response, code: str) -> httpx.Response:
    body = {"challenge_id": sent.json()["challenge_id"], "code": code}
    return await provider.http.post("/v1/me/phone/confirmation", json=body, headers=tokens.headers)


async def change(provider: Provider, tokens: Tokens, old: str, new: str) -> httpx.Response:
    body = {"old_password": old, "new_password": new}
    return await provider.http.post("/v1/me/password", json=body, headers=tokens.headers)


async def test_a_phone_is_confirmed_by_a_code_and_the_former_one_hears_of_it(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    former = await phones.give(person_id)
    tokens = await by_code_too(provider, phones, username, former)
    number = new_number()
    sent = await put_phone(provider, tokens, number)
    assert sent.status_code == 202, sent.text
    code = await phones.code_to(number)
    wrong = await confirm(provider, tokens, sent, f"{(int(code) + 1) % 10**6:06}")
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/code_refused")
    done = await confirm(provider, tokens, sent, code)
    assert (done.status_code, done.json()) == (200, {"ends_in": number[-4:]})
    assert (await confirm(provider, tokens, sent, code)).status_code == 422  # spent
    assert [each.template for each in await phones.messages_to(former)] == ["code.en", "phone_changed.en"]
    assert [each.template for each in await phones.messages_to(number)] == ["code_phone.en"]
    async with provider.database.read() as session:
        mine = Identifier.account_id == person_id, Identifier.kind == "phone"
        [kept] = (await session.scalars(select(Identifier).where(*mine))).all()
    assert number.encode() not in (kept.sealed or b"")


async def test_wrong_tries_count_although_the_answer_is_a_refusal(provider: Provider, phones: Phones) -> None:
    _, tokens = await provider.signed_in()
    number = new_number()
    sent = await put_phone(provider, tokens, number)
    code = await phones.code_to(number)
    key = {"Idempotency-Key": new_id().hex}
    body = {"challenge_id": sent.json()["challenge_id"], "code": f"{(int(code) + 1) % 10**6:06}"}
    for _ in range(5):
        headers = {**tokens.headers, **key}
        answer = await provider.http.post("/v1/me/phone/confirmation", json=body, headers=headers)
        assert answer.status_code == 422
        assert "idempotency-replayed" not in answer.headers
    assert (await confirm(provider, tokens, sent, code)).status_code == 422


async def test_a_number_belongs_to_one_person_and_that_is_told_to_who_holds_it(
    provider: Provider, phones: Phones
) -> None:
    number = await phones.give((await provider.open_person())[0])
    _, tokens = await provider.signed_in()
    sent = await put_phone(provider, tokens, number)
    assert sent.status_code == 202  # like any other number
    taken = await confirm(provider, tokens, sent, await phones.code_to(number))
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/phone_taken")
    assert "one person" in taken.json()["title"] or "一人" in taken.json()["title"]


async def test_somebody_elses_challenge_confirms_nothing(provider: Provider, phones: Phones) -> None:
    _, owner = await provider.signed_in()
    _, other = await provider.signed_in()
    number = new_number()
    sent = await put_phone(provider, owner, number)
    assert (await confirm(provider, other, sent, await phones.code_to(number))).status_code == 422


async def test_the_limit_of_codes_is_told_with_the_wait(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    number = new_number()
    assert (await put_phone(provider, tokens, number)).status_code == 202
    refused = await put_phone(provider, tokens, number)
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too_often")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await put_phone(provider, tokens, "12345678901")).status_code == 422
    async with provider.database.transaction() as session:
        await session.execute(update(RateCount).values(expires_at=utc_now() - timedelta(seconds=1)))


async def test_the_officer_who_opens_an_account_may_name_its_phone(provider: Provider, phones: Phones) -> None:
    _, tokens = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    number = new_number()

    async def open_with(phone: str) -> httpx.Response:
        name = f"new.{new_id().hex[-10:]}"
        body = {"organisation_id": str(orgtree.ROOT_ID), "username": name, "password": PASSWORD, "phone": phone}
        return await provider.http.post("/v1/accounts", json=body, headers=tokens.headers)

    opened = await open_with(f"+86 {number}")
    assert opened.status_code == 201, opened.text
    assert number not in opened.text
    taken = await open_with(number)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/phone_taken")
    assert (await open_with("+12025550100")).status_code == 422
    front_end = provider.front_end()
    asked = await front_end.http.get("/sign-in/code")
    page = await front_end.http.get((await front_end.submit(asked, phone=number)).headers["location"])
    assert (await front_end.submit(page, code=await phones.code_to(number))).status_code == 303


async def test_a_new_password_ends_all_other_sessions(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    here, elsewhere = await by_code_too(provider, phones, username, number), provider.web_front_end()
    there = await elsewhere.tokens(username)
    changed = await change(provider, here, PASSWORD, NEW)
    assert changed.status_code == 204, changed.text
    assert (await provider.front_end().refresh(here.refresh)).status_code == 200
    assert (await elsewhere.refresh(there.refresh)).json()["error"] == "invalid_grant"
    assert (await elsewhere.authorize()).headers["location"].startswith("/sign-in?")
    assert (await provider.front_end().tokens(username, NEW)).access
    assert [each.template for each in await phones.messages_to(number)] == ["code.en", "password_changed.en"]


async def test_the_old_password_cannot_be_guessed_with_a_stolen_token(provider: Provider) -> None:
    _, tokens = await provider.signed_in()
    statuses = [(await change(provider, tokens, "wrong", NEW)).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


async def test_a_guess_that_was_never_checked_costs_no_wait(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, tokens = await provider.signed_in()
    for _ in range(5):
        assert (await change(provider, tokens, "wrong", NEW)).status_code == 422
    async with provider.database.transaction() as session:
        await session.execute(update(GuessCount).values(blocked_until=utc_now()))

    async def busy(*_: object) -> None:
        raise TooManySignIns

    with monkeypatch.context() as patched:
        patched.setattr(Passwords, "verify", busy)
        assert (await change(provider, tokens, PASSWORD, NEW)).status_code == 503
    assert (await change(provider, tokens, PASSWORD, NEW)).status_code == 204


@pytest.mark.parametrize("weak", ["woaini1314", "password123", "13957128346", "11010519491231002X", "xiangqiao2026"])
async def test_a_weak_new_password_is_refused_with_the_reason(provider: Provider, weak: str) -> None:
    _, tokens = await provider.signed_in()
    refused = await change(provider, tokens, PASSWORD, weak)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/password_too_common")


async def test_an_old_token_changes_nothing(provider: Provider) -> None:
    """The token is of the last ten minutes always; the sign-in behind it may be older."""
    _, username = await provider.open_person()
    front_end = provider.front_end()
    first = await front_end.tokens(username)
    async with provider.database.transaction() as session:
        await session.execute(update(TokenFamily).values(signed_in_at=TokenFamily.signed_in_at - timedelta(minutes=11)))
    refreshed = (await front_end.refresh(first.refresh)).json()
    old = Tokens(refreshed["access_token"], refreshed["refresh_token"], None)
    for answer in (await change(provider, old, PASSWORD, NEW), await put_phone(provider, old, new_number())):
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/step_up_required")


@pytest.mark.parametrize(
    "weak",
    [
        "12345678", "password", "Password1!", "qwertyuiop", "aaaaaaaaaaaa", "abcdefgh", "iloveyou1", "19851203",
        "woaini520", "mima123456", "wang.xiaoming", "wangxiaoming1", "5201314520", "乡桥乡桥乡桥乡桥",
        "１２３４５６７８９", "13957128346", "+8613957128346", "110105194912310021", "147258369a",
    ],
)  # fmt: skip
def test_what_anybody_would_try_first_is_no_password(weak: str) -> None:
    with pytest.raises(PasswordUnusable):
        require_password(weak, username="wang.xiaoming", also=["wangxiaoming", "+8613957128346"])


@pytest.mark.parametrize(
    "strong",
    ["correct horse", "村口那棵老槐树开花了", "tK7-vq2m", "  spaces count  ", "🌾🌾 yield 2027", "a" * 5 + "bQz" * 30],
)
def test_no_kinds_of_characters_are_asked_for(strong: str) -> None:
    assert require_password(strong, username="wang.xiaoming") == normalised_password(strong)


def test_a_password_is_the_same_from_every_keyboard_and_has_its_bounds() -> None:
    assert require_password("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ", username="a.person") == "correct horse"
    for wrong in ("short", "x" * 129, ""):
        with pytest.raises(PasswordUnusable) as raised:
            require_password(wrong, username="a.person")
        assert not isinstance(raised.value, PasswordTooCommon)


@pytest.mark.parametrize(
    ("typed", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("0086 138 0013 8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("12800138000", None),
        ("+1 202 555 0100", None),
        ("1380013800", None),
        ("", None),
    ],
)
def test_a_phone_number_has_one_spelling(typed: str, phone: str | None) -> None:
    assert normalised_phone(typed) == phone
