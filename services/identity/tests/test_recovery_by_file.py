"""Who has an account without a phone sets a new password by a code to the phone on their member file."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

import orgtree
from identity.accounts.tables import Account

from .authenticator import set_up
from .front_end import PASSWORD, FrontEnd
from .phone_proofs import requests
from .phones import Phones, new_number
from .provider import Provider
from .step_up import stronger
from .test_own_account_page import proven
from .test_recovery import NEW, approve, let_pass, recoveries, set_password

RECOVERY = "/sign-in/own-account/recovery"


async def test_the_page_for_a_forgotten_password_leads_there(front_end: FrontEnd) -> None:
    sign_in = await front_end.http.get((await front_end.authorize()).headers["location"])
    link = sign_in.text.partition('href="/sign-in/recovery?')[2].partition('"')[0].replace("&amp;", "&")
    forgotten = await front_end.http.get(f"/sign-in/recovery?{link}")
    assert 'href="/sign-in/own-account?response_type=' in forgotten.text
    objection = await front_end.http.get("/sign-in/objection")
    assert "/sign-in/own-account" not in objection.text


async def test_a_new_password_ends_every_session_and_the_phone_on_the_file_hears_of_it(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    web = provider.web_front_end()
    tokens = await web.tokens(username)
    there = await proven(provider, front_end, person_id)
    assert username in there.text
    assert [each["text"] for each in await requests(provider, person_id=person_id)] == []
    begun = await front_end.submit(there)
    done = await set_password(front_end, begun)
    assert "signed out on all devices" in done.text
    assert (await web.refresh(tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await web.authorize()).headers["location"].startswith("/sign-in?")
    assert (await provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 401
    assert (await provider.front_end().tokens(username, NEW)).access
    [told] = await requests(provider, person_id=person_id)
    assert (told["text"], told["language"], told["person_index"]) == ("ways_in_changed", "en", None)
    for again in (await front_end.submit(there), await front_end.submit(done_page(there))):
        assert again.headers["location"].startswith("/sign-in/own-account")


def done_page(there: httpx.Response) -> httpx.Response:
    """The same page, whose form comes from nowhere."""
    request = there.request
    return httpx.Response(200, text=there.text.replace('name="form_token"', 'name="other"'), request=request)


async def test_the_second_factor_stays(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    await set_up(provider, await provider.front_end().tokens(username))
    done = await set_password(front_end, await front_end.submit(await proven(provider, front_end, person_id)))
    assert done.status_code == 200
    page = await provider.front_end().second_page(username, NEW)
    assert "authenticator app" in page.text


async def test_whose_account_has_a_phone_or_is_out_of_use_gets_no_new_password(
    provider: Provider, phones: Phones
) -> None:
    reachable, gone = (await provider.open_person())[0], (await provider.open_person())[0]
    await phones.give(reachable)
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == gone).values(status="deactivated"))
    for person_id in (reachable, gone):
        front_end = provider.front_end()
        there = await proven(provider, front_end, person_id)
        assert "<form" not in there.text
        forced = await front_end.http.post(RECOVERY, data={"form_token": front_end.http.cookies["form"]})
        assert forced.headers["location"] == "/sign-in/own-account"
        page = await front_end.http.get("/sign-in/recovery/password")
        assert (await front_end.submit(page, password=NEW)).status_code == 400


async def test_without_the_code_nothing_is_begun(provider: Provider, front_end: FrontEnd) -> None:
    await front_end.http.get("/sign-in/own-account")
    forced = await front_end.http.post(RECOVERY, data={"form_token": front_end.http.cookies["form"]})
    assert forced.headers["location"] == "/sign-in/own-account"


@pytest.mark.parametrize("fields", [{}, {"lost_device": "yes"}])
async def test_who_holds_a_role_or_lost_a_device_takes_two_officers_and_a_day(
    provider: Provider, front_end: FrontEnd, phones: Phones, fields: dict[str, str]
) -> None:
    county = await provider.establish()
    person_id, username = await provider.open_person(*([] if fields else [("officer", county)]))
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == person_id).values(organisation_id=county))
    waiting = await front_end.submit(await proven(provider, front_end, person_id), **fields)
    assert "two officers have to agree" in waiting.text
    first = await stronger(provider, phones, ("branch_secretary", county))
    second = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    [asked] = [each for each in await recoveries(provider, first) if each["person_id"] == str(person_id)]
    for officer in (first, second):
        assert (await approve(provider, str(asked["recovery_id"]), officer)).status_code == 201
    early = await front_end.submit(await proven(provider, front_end, person_id), **fields)
    assert "Your request was approved" in early.text
    await let_pass(provider, person_id, timedelta(hours=24))
    done = await set_password(front_end, await front_end.submit(await proven(provider, front_end, person_id), **fields))
    assert "signed out on all devices" in done.text
    assert (await provider.front_end().tokens(username, NEW)).access
    texts = [each["text"] for each in await requests(provider, person_id=person_id)]
    assert texts == ["ways_in_changed"] * 3  # asked for, approved, done


async def test_the_phone_on_the_file_hears_of_a_new_phone_that_officers_propose(
    provider: Provider, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    officer = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    body = {"person_id": str(person_id), "phone": new_number()}
    proposed = await provider.http.post("/v1/phone-replacements", json=body, headers=officer.headers)
    assert proposed.status_code == 201, proposed.text
    assert [each["text"] for each in await requests(provider, person_id=person_id)] == ["ways_in_changed"]
    assert (await provider.front_end().tokens(username, PASSWORD)).access
