"""Check 33: an account that somebody else opened for a member opens nothing until its person has proven it theirs."""

import asyncio
import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import select, text, update

import orgtree
from contracts.members import MemberAffiliatedV1
from database import new_id, utc_now
from identity.accounts.tables import Account
from identity.phone_proofs.tables import PhoneProof
from identity.roles.tables import RoleAssignment
from identity.sessions.tables import BrowserSession
from identity.throttling.tables import RateCount
from messaging import Publication

from .front_end import FrontEnd, Tokens, answer_of, tokens_of
from .phone_proofs import code_in, requests, wrong_for
from .provider import Provider
from .test_accounts import body_of

PAGE = "/sign-in/phone-on-file"
GIVEN, OWN = "a first password", "a password of my own"


async def opened_for_a_member(provider: Provider) -> tuple[UUID, str, UUID, Tokens]:
    """Have an administrator open the account of a member of a county; give member, name, county, administrator."""
    county, member = await provider.establish(), new_id()
    affiliated = MemberAffiliatedV1(person_id=member, organisation_id=county)
    async with provider.database.transaction() as session:
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(affiliated, 1)])
    _, administrator = await provider.signed_in(("system_administrator", county))
    body = body_of(person_id=str(member), organisation_id=str(county), username=f"member.{member.hex[-10:]}")
    answer = await provider.http.post("/v1/accounts", json=body, headers=administrator.headers)
    assert answer.status_code == 201, answer.text
    return member, str(body["username"]), county, administrator


async def first_page(front_end: FrontEnd, username: str, **changed: str | None) -> httpx.Response:
    """Sign in by the first password, and give the page that comes then."""
    page = await front_end.http.get((await front_end.authorize(**changed)).headers["location"])
    sent = await front_end.submit(page, username=username, password=GIVEN)
    assert urlsplit(sent.headers["location"]).path == PAGE, sent.headers["location"]
    return await front_end.http.get(sent.headers["location"])


async def choose(front_end: FrontEnd, proved: httpx.Response) -> httpx.Response:
    """Choose a password on the page that comes after the proof, and give what comes then."""
    assert urlsplit(proved.headers["location"]).path == "/sign-in/new-password", proved.headers["location"]
    return await front_end.submit(await front_end.http.get(proved.headers["location"]), password=OWN)


async def second_officer(provider: Provider, county: UUID) -> tuple[UUID, Tokens]:
    return await provider.signed_in(("officer", county))


def number_on(page: httpx.Response) -> str:
    found = re.search(r"<strong>([0-9]{4} [0-9]{4})</strong>", page.text)
    assert found is not None, page.text
    return found[1]


def another_than(number: str) -> str:
    return f"{(int(number.replace(' ', '')) + 1) % 10**8:08}"


async def confirm(provider: Provider, officer: Tokens, member: UUID, number: str, **headers: str) -> httpx.Response:
    path = f"/v1/accounts/{member}/confirmation"
    return await provider.http.post(path, json={"number": number}, headers={**officer.headers, **headers})


async def account_of(provider: Provider, member: UUID) -> Account:
    async with provider.database.read() as session:
        return await session.get_one(Account, member)


async def test_who_opened_the_account_reads_nothing_of_the_member(provider: Provider, front_end: FrontEnd) -> None:
    _, username, _, _ = await opened_for_a_member(provider)
    page = await first_page(front_end, username)
    forced = {"form_token": front_end.http.cookies["form"], "password": OWN}
    chosen = await front_end.http.post("/sign-in/new-password", params=front_end.request(), data=forced)
    assert urlsplit(chosen.headers["location"]).path == PAGE
    silent = answer_of(await front_end.authorize(prompt="none"))
    assert silent.parameters["error"] in {"login_required", "interaction_required"}
    for path in ("/sign-in/security", "/sign-in/sessions", "/sign-in/security/passkey", "/oauth2/device"):
        answer = await front_end.http.get(path)
        assert urlsplit(answer.headers["location"]).path == "/sign-in", path
    for path in ("/sign-in/second-factor", "/sign-in/new-password", PAGE):
        page = await front_end.http.get(path, params=front_end.request(), follow_redirects=True)
        assert (page.status_code, page.url.path) == (200, PAGE)
    anew = provider.front_end()
    page = await anew.http.get((await anew.authorize(acr_values="2")).headers["location"])
    sent = await anew.submit(page, username=username, password=GIVEN)
    assert urlsplit(sent.headers["location"]).path == PAGE


@pytest.mark.parametrize("way", ["code", "officer"])
async def test_what_the_opener_knew_or_left_open_opens_nothing_after_the_proof_either(
    provider: Provider, front_end: FrontEnd, way: str
) -> None:
    """The opener was there first, as far as anybody comes, and tells the member the password that works then."""
    member, username, county, _ = await opened_for_a_member(provider)
    opener, works = provider.front_end(), GIVEN
    page = await opener.http.get((await opener.authorize()).headers["location"])
    page = await opener.http.get((await opener.submit(page, username=username, password=works)).headers["location"])
    if page.url.path == "/sign-in/new-password":
        works = "a password of the opener"
        page = await opener.http.get((await opener.submit(page, password=works)).headers["location"])
    page = await front_end.http.get((await front_end.authorize()).headers["location"])
    page = await front_end.http.get(
        (await front_end.submit(page, username=username, password=works)).headers["location"]
    )
    if way == "code":
        asked = await front_end.submit(page, way="send")
        done = await front_end.submit(asked, code=code_in((await requests(provider, person_id=member))[-1]))
    else:
        _, officer = await second_officer(provider, county)
        assert (await confirm(provider, officer, member, number_on(page))).status_code == 201
        done = await front_end.submit(page, way="confirmed")

    async def tried() -> httpx.Response:
        silent = answer_of(await opener.authorize(prompt="none"))
        assert silent.parameters["error"] in {"login_required", "interaction_required"}
        anew = provider.front_end()
        asks = await anew.http.get((await anew.authorize()).headers["location"])
        return await anew.submit(asks, username=username, password=works)

    early = await tried()
    assert early.status_code == 400 or urlsplit(early.headers["location"]).path == PAGE
    answer = answer_of(await choose(front_end, done))
    assert tokens_of(await front_end.redeem(answer.parameters["code"])).access
    assert (await tried()).status_code == 400


async def test_no_phone_is_given_for_a_member(provider: Provider) -> None:
    _, administrator = await provider.signed_in(("system_administrator", orgtree.ROOT_ID))
    body = body_of(person_id=str(new_id()), phone="13800138000")
    refused = await provider.http.post("/v1/accounts", json=body, headers=administrator.headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/phone_of_another")


async def test_the_phone_on_the_file_hears_of_the_opening_once_and_of_nobody_elses(provider: Provider) -> None:
    member, _, county, administrator = await opened_for_a_member(provider)
    [heard] = await requests(provider, person_id=member)
    assert (heard["text"], heard["person_index"]) == ("account_opened", None)
    staff = await provider.http.post(
        "/v1/accounts", json=body_of(organisation_id=str(county)), headers=administrator.headers
    )
    assert await requests(provider, person_id=staff.json()["person_id"]) == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_code_to_the_phone_on_the_file_lets_the_person_in(
    provider: Provider, front_end: FrontEnd, language: str
) -> None:
    member, username, _, _ = await opened_for_a_member(provider)
    page = await first_page(front_end, username, ui_locales=language)
    assert ("Prove that this account is yours" if language == "en" else "请证明账号是您本人的") in page.text
    assert "<script" not in page.text
    asked = await front_end.submit(page, way="send")
    [_, request] = await requests(provider, person_id=member)
    assert (request["text"], request["language"]) == ("code_first_sign_in", language)
    code = code_in(request)
    assert code not in orjson.dumps(request).decode()
    wrong = await front_end.submit(asked, code=wrong_for(code))
    assert wrong.status_code == 400
    right = await front_end.submit(wrong, code=code)
    assert (await account_of(provider, member)).proven_at is None
    done = await choose(front_end, right)
    tokens = tokens_of(await front_end.redeem(answer_of(done).parameters["code"]))
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).json()["person_id"] == str(member)
    account = await account_of(provider, member)
    assert account.proven_at is not None
    assert account.proven_by is None
    async with provider.database.read() as session:
        recorded = text("select actor from audit.entry where action = 'identity.account.proven' and subject = :member")
        assert (await session.scalars(recorded, {"member": member})).all() == [member]
    assert (await provider.front_end().tokens(username, OWN)).access


async def send(front_end: FrontEnd, provider: Provider, member: UUID, username: str) -> tuple[httpx.Response, str]:
    asked = await front_end.submit(await first_page(front_end, username), way="send")
    return asked, code_in((await requests(provider, person_id=member))[-1])


async def test_of_many_guesses_at_once_five_are_checked(provider: Provider, front_end: FrontEnd) -> None:
    member, username, _, _ = await opened_for_a_member(provider)
    asked, code = await send(front_end, provider, member, username)
    await asyncio.gather(*(front_end.submit(asked, code=wrong_for(code)) for _ in range(20)))
    async with provider.database.read() as session:
        assert await session.scalar(select(PhoneProof.tries).where(PhoneProof.person_id == member)) == 5
    assert (await front_end.submit(asked, code=code)).status_code == 400
    assert (await account_of(provider, member)).proven_at is None


@pytest.mark.parametrize("what", ["late", "replaced", "elsewhere", "of another"])
async def test_a_code_is_good_once_in_its_browser_and_time(provider: Provider, front_end: FrontEnd, what: str) -> None:
    member, username, _, _ = await opened_for_a_member(provider)
    asked, code = await send(front_end, provider, member, username)
    async with provider.database.transaction() as session:
        await session.execute(update(RateCount).values(expires_at=utc_now()))
        if what == "late":
            past = update(PhoneProof).where(PhoneProof.person_id == member).values(expires_at=utc_now())
            await session.execute(past)
    if what == "replaced":
        await front_end.submit(asked, way="send")
    if what == "elsewhere":
        other = provider.front_end()
        page = await other.http.get((await other.authorize()).headers["location"])
        sent = await other.submit(page, username=username, password=GIVEN)
        theirs = await other.http.get(sent.headers["location"])
        proof = asked.text.partition('name="proof" value="')[2].partition('"')[0]
        answer = await other.submit(theirs, way="code", proof=proof, code=code)
    elif what == "of another":
        second, name, _, _ = await opened_for_a_member(provider)
        own_page, _ = await send(front_end, provider, second, name)
        answer = await front_end.submit(own_page, code=code)
        member = second
    else:
        answer = await front_end.submit(asked, code=code)
    assert answer.status_code == 400
    assert (await account_of(provider, member)).proven_at is None


async def test_codes_are_asked_for_once_a_minute(provider: Provider, front_end: FrontEnd) -> None:
    member, username, _, _ = await opened_for_a_member(provider)
    page = await first_page(front_end, username)
    statuses = [(await front_end.submit(page, way="send")).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert len(await requests(provider, person_id=member)) == 2


async def test_an_officer_who_sees_the_person_lets_them_in_and_both_names_are_on_record(
    provider: Provider, front_end: FrontEnd
) -> None:
    member, username, county, _ = await opened_for_a_member(provider)
    officer_id, officer = await second_officer(provider, county)
    page = await first_page(front_end, username)
    wrong = await confirm(provider, officer, member, another_than(number_on(page)))
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/code_refused")
    early = await front_end.submit(page, way="confirmed")
    assert (early.status_code, "No officer has confirmed" in early.text) == (400, True)
    done = await confirm(provider, officer, member, number_on(page))
    assert done.status_code == 201, done.text
    account = await account_of(provider, member)
    assert done.json()["confirmed_by"] == str(account.proven_by) == str(officer_id)
    assert done.json()["opened_by"] == str(account.opened_by)
    assert account.proven_at is None
    goes_on = await choose(front_end, await front_end.submit(page, way="confirmed"))
    assert tokens_of(await front_end.redeem(answer_of(goes_on).parameters["code"])).access
    kept = (await account_of(provider, member)).proven_at
    assert kept == datetime.fromisoformat(done.json()["proven_at"])
    async with provider.database.read() as session:
        recorded = text("select actor from audit.entry where action = 'identity.account.confirmed' and subject = :it")
        assert (await session.scalars(recorded, {"it": member})).all() == [officer_id]
    again = await confirm(provider, officer, member, number_on(page))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/account_proven")


async def test_numbers_are_not_tried_on_and_on(provider: Provider, front_end: FrontEnd) -> None:
    member, username, county, _ = await opened_for_a_member(provider)
    _, officer = await second_officer(provider, county)
    page = await first_page(front_end, username)
    wrong = another_than(number_on(page))
    tries = [(await confirm(provider, officer, member, wrong)).status_code for _ in range(11)]
    assert tries == [422] * 10 + [429]
    assert (await confirm(provider, officer, member, number_on(page))).status_code == 429


async def test_the_numbers_one_officer_tries_are_bounded_over_all_accounts(provider: Provider) -> None:
    _, officer = await second_officer(provider, orgtree.ROOT_ID)
    members = [(await opened_for_a_member(provider))[0] for _ in range(7)]
    tried = [await confirm(provider, officer, member, "0000 0000") for member in members for _ in range(9)]
    assert [answer.status_code for answer in tried] == [422] * 60 + [429] * 3
    _, another = await second_officer(provider, orgtree.ROOT_ID)
    assert (await confirm(provider, another, members[-1], "0000 0000")).status_code == 422


async def test_a_number_of_an_older_sign_in_is_good_no_more(provider: Provider, front_end: FrontEnd) -> None:
    member, username, county, _ = await opened_for_a_member(provider)
    _, officer = await second_officer(provider, county)
    page = await first_page(front_end, username)
    async with provider.database.transaction() as session:
        earlier = BrowserSession.signed_in_at - timedelta(minutes=11)
        await session.execute(
            update(BrowserSession).where(BrowserSession.account_id == member).values(signed_in_at=earlier)
        )
    assert (await confirm(provider, officer, member, number_on(page))).status_code == 422


@pytest.mark.parametrize("who", ["opener", "made by the opener", "elsewhere", "no office", "one factor"])
async def test_who_opened_it_makes_nobody_who_confirms_it(provider: Provider, front_end: FrontEnd, who: str) -> None:
    member, username, county, _ = await opened_for_a_member(provider)
    opener_id = (await account_of(provider, member)).opened_by
    page = await first_page(front_end, username)
    officer_id, tokens = await second_officer(provider, county)
    expected = (403, "/problems/not_independent")
    async with provider.database.transaction() as session:
        if who == "opener":  # an administrator then, an officer now
            await session.execute(update(Account).where(Account.account_id == member).values(opened_by=officer_id))
        if who == "made by the opener":
            made = update(RoleAssignment).where(RoleAssignment.person_id == officer_id).values(granted_by=opener_id)
            await session.execute(made)
    if who == "elsewhere":
        _, tokens = await second_officer(provider, await provider.establish())
        expected = (404, "/problems/not_found")
    elif who == "no office":
        _, tokens = await provider.signed_in(("helper", county))
        expected = (403, "/problems/permission_missing")
    elif who == "one factor":
        _, tokens = await provider.weakly_signed_in(("officer", county))
        expected = (401, "/problems/step_up_required")
    refused = await confirm(provider, tokens, member, number_on(page))
    assert (refused.status_code, refused.json()["type"]) == expected
    assert (await account_of(provider, member)).proven_at is None
