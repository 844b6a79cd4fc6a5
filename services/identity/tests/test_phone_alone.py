"""Check 33: who has a phone and nothing else comes to no two factors by it, nor to a way in that stays."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

import orgtree
from database import new_id, utc_now
from identity.accounts.tables import Credential
from identity.factors.required import Owned, missing
from identity.roles.commands import appoint

from .authenticator import claims, set_up
from .front_end import PASSWORD, FrontEnd, Tokens, answer_of, tokens_of
from .phones import Phones
from .provider import Provider
from .test_first_sign_in import OWN, another_than, confirm, number_on
from .test_own_account_page import a_member, proven
from .test_recovery import NEW, approve, ask, let_pass, recoveries, set_password
from .test_sign_in_by_code import page_for_code

Set = Callable[[Provider, Phones], Awaitable[tuple[UUID, str, str]]]
"""Lets somebody who has a phone and nothing else set a password; gives person, user name, password."""


async def recovered(provider: Provider, phones: Phones) -> tuple[UUID, str, str]:
    person_id, username = await provider.open_person()
    front_end = provider.front_end()
    await set_password(front_end, await ask(front_end, phones, await phones.give(person_id)))
    return person_id, username, NEW


async def recovered_by_the_file(provider: Provider, phones: Phones) -> tuple[UUID, str, str]:
    person_id, username = await provider.open_person()
    front_end = provider.front_end()
    done = await set_password(front_end, await front_end.submit(await proven(provider, front_end, person_id)))
    assert done.status_code == 200
    await phones.give(person_id)  # from here on it is as if that number were the account's, too
    return person_id, username, NEW


async def opened(provider: Provider, phones: Phones) -> tuple[UUID, str, str]:
    member, front_end = await a_member(provider), provider.front_end()
    username = f"own.{member.hex[-10:]}"
    done = await front_end.submit(await proven(provider, front_end, member), username=username, password=OWN)
    assert done.status_code == 303, done.text
    await phones.give(member)
    return member, username, OWN


ALL = pytest.mark.parametrize("by_phone_alone", [recovered, recovered_by_the_file, opened])


async def by_password(provider: Provider, username: str, password: str, wanted: str | None = "2") -> httpx.Response:
    """Sign in by user name and password for a client that wants two factors, and give what comes then."""
    front_end = provider.front_end()
    page = await front_end.http.get((await front_end.authorize(acr_values=wanted)).headers["location"])
    return await front_end.submit(page, username=username, password=password)


async def by_both(provider: Provider, phones: Phones, person_id: UUID, username: str, password: str) -> Tokens:
    """Sign in by password and a code to the phone."""
    front_end = provider.front_end()
    page = await front_end.second_page(username, password, acr_values="2")
    page = await front_end.submit(page, way="send")
    answer = answer_of(await front_end.submit(page, code=await phones.code_to(phones.numbers[person_id])))
    return tokens_of(await front_end.redeem(answer.parameters["code"]))


def is_out_of_reach(answer: httpx.Response) -> bool:
    return answer_of(answer).parameters.get("error") == "unmet_authentication_requirements"


async def let_a_week_pass(provider: Provider, person_id: UUID, time: timedelta = timedelta(days=7)) -> None:
    async with provider.database.transaction() as session:
        earlier = Credential.phone_alone_until - time
        mine = update(Credential).where(Credential.account_id == person_id)
        await session.execute(mine.values(phone_alone_until=earlier))


@ALL
async def test_the_phone_that_set_a_password_is_no_second_factor_beside_it(
    provider: Provider, phones: Phones, by_phone_alone: Set
) -> None:
    person_id, username, password = await by_phone_alone(provider, phones)
    assert is_out_of_reach(await by_password(provider, username, password))
    front_end, number = provider.front_end(), phones.numbers[person_id]
    page = await page_for_code(front_end, number, acr_values="2")
    assert is_out_of_reach(await front_end.submit(page, code=await phones.code_to(number)))
    plain = await provider.front_end().tokens(username, password)
    assert claims(plain.access)["acr"] == "1"


async def test_the_sign_in_that_opened_the_account_is_not_raised_by_the_password_just_chosen(
    provider: Provider, front_end: FrontEnd
) -> None:
    member = await a_member(provider)
    await front_end.http.get((await front_end.authorize(acr_values="2")).headers["location"])
    form = await proven(provider, front_end, member)
    await front_end.submit(form, username=f"own.{member.hex[-10:]}", password=OWN)
    page = await front_end.http.get("/sign-in/second-factor", params={"acr_values": "2"})
    assert (page.status_code, page.headers.get("location")) == (303, "/sign-in")


CHANGES = (
    ("POST", "/v1/me/totp", None),
    ("POST", "/v1/me/passkeys/registrations", None),
    ("POST", "/v1/me/phone", {"phone": "13800138000"}),
    ("POST", "/v1/me/password", {"old_password": "an old password", "new_password": "another password of mine"}),
    ("DELETE", "/v1/me/wechat", None),
)


@ALL
async def test_no_way_in_is_added_by_whoever_came_by_the_phone_alone(
    provider: Provider, phones: Phones, by_phone_alone: Set
) -> None:
    _, username, password = await by_phone_alone(provider, phones)
    front_end = provider.front_end()
    tokens = await front_end.tokens(username, password)
    for method, path, body in CHANGES:
        refused = await provider.http.request(method, path, json=body, headers=tokens.headers)
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required"), path
    for path in ("/sign-in/security", "/sign-in/security/passkey"):
        page = await front_end.http.get(path, follow_redirects=True)
        assert (page.status_code, "read this number to an officer" in page.text) == (200, True), page.text
        assert "/sign-in/security/totp" not in page.text
    token = front_end.http.cookies["form"]
    forced = await front_end.http.post("/sign-in/security/totp", data={"form_token": token})
    assert "otpauth" not in forced.text
    assert (await provider.http.get("/v1/me/totp", headers=tokens.headers)).json()["set_up"] is False


@ALL
async def test_a_week_later_they_are_two_factors(provider: Provider, phones: Phones, by_phone_alone: Set) -> None:
    person_id, username, password = await by_phone_alone(provider, phones)
    await let_a_week_pass(provider, person_id, timedelta(days=6, hours=23))
    assert is_out_of_reach(await by_password(provider, username, password))
    await let_a_week_pass(provider, person_id, timedelta(hours=1))
    tokens = await by_both(provider, phones, person_id, username, password)
    assert claims(tokens.access)["acr"] == "2"
    await set_up(provider, tokens)


async def test_an_officer_who_sees_them_makes_it_two_factors_at_once(provider: Provider, phones: Phones) -> None:
    member, username, password = await opened(provider, phones)
    front_end = provider.front_end()
    await front_end.tokens(username, password)
    page = await front_end.http.get("/sign-in/security", follow_redirects=True)
    number = number_on(page)
    officer_id, officer = await provider.signed_in(("officer", orgtree.ROOT_ID))
    wrong = await confirm(provider, officer, member, another_than(number))
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/code_refused")
    assert is_out_of_reach(await by_password(provider, username, password))
    confirmed = await confirm(provider, officer, member, number)
    assert (confirmed.status_code, confirmed.json()["confirmed_by"]) == (201, str(officer_id))
    tokens = await by_both(provider, phones, member, username, password)
    assert claims(tokens.access)["acr"] == "2"
    again = await confirm(provider, officer, member, number)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/account_proven")


async def test_an_app_that_was_there_before_is_a_second_factor(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    app, _ = await set_up(provider, await provider.front_end().tokens(username))
    recovering = provider.front_end()
    await set_password(recovering, await ask(recovering, phones, await phones.give(person_id)))
    front_end = provider.front_end()
    page = await front_end.second_page(username, NEW, acr_values="2")
    answer = answer_of(await front_end.submit(page, code=app.code()))
    tokens = tokens_of(await front_end.redeem(answer.parameters["code"]))
    assert claims(tokens.access)["acr"] == "2"
    assert (await provider.http.post("/v1/me/totp", headers=tokens.headers)).status_code == 201


async def test_a_recovery_that_officers_approved_makes_two_factors(provider: Provider, phones: Phones) -> None:
    person_id, username = await provider.open_person()
    number, front_end = await phones.give(person_id), provider.front_end()
    await ask(front_end, phones, number, lost_device="on")
    officers = [(await provider.signed_in(("officer", orgtree.ROOT_ID)))[1] for _ in range(2)]
    [asked] = [each for each in await recoveries(provider, officers[0]) if each["person_id"] == str(person_id)]
    for officer in officers:
        assert (await approve(provider, str(asked["recovery_id"]), officer)).status_code == 201
    await let_pass(provider, person_id, timedelta(hours=25))
    await set_password(front_end, await ask(front_end, phones, number, lost_device="on"))
    tokens = await by_both(provider, phones, person_id, username, NEW)
    assert claims(tokens.access)["acr"] == "2"


async def test_who_gave_the_former_password_changes_it_and_keeps_both_factors(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    await phones.give(person_id)
    tokens = await by_both(provider, phones, person_id, username, PASSWORD)
    body = {"old_password": PASSWORD, "new_password": NEW}
    changed = await provider.http.post("/v1/me/password", json=body, headers=tokens.headers)
    assert changed.status_code == 204, changed.text
    await let_pass(provider, person_id, timedelta())
    assert claims((await by_both(provider, phones, person_id, username, NEW)).access)["acr"] == "2"


async def test_a_role_opens_nothing_to_whoever_came_by_the_phone_alone(provider: Provider, phones: Phones) -> None:
    person_id, username, password = await recovered(provider, phones)
    async with provider.database.transaction() as session:
        await appoint(
            session, assignment_id=new_id(), person_id=person_id, role="officer", organisation_id=orgtree.ROOT_ID,
            now=utc_now(),
        )  # fmt: skip
    tokens = await provider.front_end().tokens(username, password)
    refused = await provider.http.get("/v1/account-lists", headers=tokens.headers)
    assert (refused.status_code, refused.json()["type"]) == (401, "/problems/step_up_required")


async def test_the_person_hears_of_it_and_says_on_the_page_what_to_do(provider: Provider, phones: Phones) -> None:
    person_id, _, _ = await recovered(provider, phones)
    heard = [sent.template for sent in await phones.messages_to(phones.numbers[person_id])]
    assert heard[-1] == "recovered.en"


def test_while_it_counts_as_the_phone_a_password_needs_an_app_or_a_passkey() -> None:
    mine = Owned(password=True, phone=True, totp=False, recovery_code=False, passkey=False, phone_alone=True)
    for amr in (["pwd"], ["sms"], ["wechat"]):
        assert missing(mine, amr, "2") == ((),), amr
        assert missing(mine._replace(passkey=True), amr, "2") == (("passkey",),), amr
    assert (mine.acr, mine.manage_acr) == ("1", "2")
    app = mine._replace(totp=True, recovery_code=True)
    assert missing(app, ["pwd"], "2") == (("totp", "recovery_code"),)
    assert missing(app, ["sms", "otp"], "2") == (("password",),)
    assert missing(app, ["pwd", "otp"], "2") is None
