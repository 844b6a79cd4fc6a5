"""Check 33: a member opens the own account by a code to the phone on their file, and a stranger learns nothing."""

import secrets
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

import orgtree
from contracts.members import MemberAffiliatedV1
from database import new_id
from identity.accounts.tables import Account
from identity.phone_proofs.tables import PhoneProof
from messaging import Publication

from .front_end import PASSWORD, FrontEnd, answer_of, tokens_of
from .phone_proofs import answered, ask_for_own, code_in, person_index, proof_of, requests, wrong_for
from .phones import Phones
from .provider import Provider
from .test_first_sign_in import GIVEN, OWN, first_page, opened_for_a_member

NAME = "阿依古丽·买买提"


def a_number() -> str:
    """Give an identity number that no other test has; identity does not look into it."""
    return f"5227311990{secrets.randbelow(10**7):07}X"


async def a_member(provider: Provider) -> UUID:
    member = new_id()
    affiliated = MemberAffiliatedV1(person_id=member, organisation_id=orgtree.ROOT_ID)
    async with provider.database.transaction() as session:
        await orgtree.HANDLERS[MemberAffiliatedV1](session, [Publication(affiliated, 1)])
    return member


async def asked(
    provider: Provider, front_end: FrontEnd, member: UUID | None, number: str
) -> tuple[httpx.Response, str]:
    """Ask for a code, let members answer, and give the page that asks for it, and what it would be."""
    sent = await ask_for_own(front_end, NAME, number)
    assert sent.status_code == 303, sent.text
    [request] = await requests(provider, person_index=person_index(NAME, number))
    await answered(provider, request["message_id"], member)
    return await front_end.http.get(sent.headers["location"]), code_in(request)


async def proven(provider: Provider, front_end: FrontEnd, member: UUID) -> httpx.Response:
    """Ask for a code, give it, and give the page that comes then."""
    page, code = await asked(provider, front_end, member, a_number())
    given = await front_end.submit(page, code=code)
    assert given.status_code == 303, given.text
    return await front_end.http.get(given.headers["location"])


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_member_opens_the_own_account(provider: Provider, front_end: FrontEnd, language: str) -> None:
    member, number = await a_member(provider), a_number()
    sign_in = await front_end.http.get((await front_end.authorize(ui_locales=language)).headers["location"])
    link = sign_in.text.partition('href="/sign-in/own-account?')[2].partition('"')[0].replace("&amp;", "&")
    page = await front_end.http.get(f"/sign-in/own-account?{link}")
    assert ("Open your own account" if language == "en" else "开立本人账号") in page.text
    assert "<script" not in page.text
    sent = await front_end.submit(page, name=f" {NAME.replace('·', '•')} ", id_number=f"'{number.lower()}\t")
    [request] = await requests(provider, person_index=person_index(NAME, number))
    assert (request["text"], request["language"], request["person_id"]) == ("code_own_account", language, None)
    await answered(provider, request["message_id"], member)
    code_page = await front_end.http.get(sent.headers["location"])
    given = await front_end.submit(code_page, code=code_in(request))
    form = await front_end.http.get(given.headers["location"])
    taken, username = "administrator", f"own.{member.hex[-8:]}"
    for fields, status in (
        ({"username": taken, "password": OWN}, 409),
        ({"username": "13800138000", "password": OWN}, 400),
        ({"username": username, "password": "woaini1314"}, 400),
    ):
        refused = await front_end.submit(form, **fields)
        assert refused.status_code == status, refused.text
    answer = answer_of(await front_end.submit(form, username=username, password=OWN))
    tokens = tokens_of(await front_end.redeem(answer.parameters["code"]))
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).json()["person_id"] == str(member)
    async with provider.database.read() as session:
        account = await session.get_one(Account, member)
        assert (account.opened_by, account.proven_at is not None) == (None, True)
    assert (await provider.front_end().tokens(username, OWN)).access
    assert [each["text"] for each in await requests(provider, person_id=member)] == ["ways_in_changed"]
    again = await front_end.submit(form, username=f"{username}.2", password=OWN)
    assert again.headers["location"].startswith("/sign-in/own-account")


async def test_nobody_is_told_whether_somebody_is_on_file(provider: Provider) -> None:
    members = [await a_member(provider), None]
    seen = []
    for member in members:
        front_end, number = provider.front_end(), a_number()
        sent = await ask_for_own(front_end, NAME, number)
        [request] = await requests(provider, person_index=person_index(NAME, number))
        before = await front_end.http.get(sent.headers["location"])
        await answered(provider, request["message_id"], member)
        after = await front_end.http.get(sent.headers["location"])
        wrong = await front_end.submit(after, code=wrong_for(code_in(request)))
        early = await front_end.http.get("/sign-in/own-account/password")
        answers = (sent, before, after, wrong, early)
        token = front_end.http.cookies["form"]
        shapes = [(each.status_code, each.text.replace(token, ""), each.headers.get("location")) for each in answers]
        seen.append((shapes, sorted(front_end.http.cookies.keys()), [len(each.content) for each in answers]))
        if member is None:
            right = await front_end.submit(after, code=code_in(request))
            assert right.status_code == 400
    assert seen[0] == seen[1]


async def test_without_the_answer_of_members_no_code_is_right(provider: Provider, front_end: FrontEnd) -> None:
    member, number = await a_member(provider), a_number()
    sent = await ask_for_own(front_end, NAME, number)
    [request] = await requests(provider, person_index=person_index(NAME, number))
    page = await front_end.http.get(sent.headers["location"])
    assert (await front_end.submit(page, code=code_in(request))).status_code == 400
    await answered(provider, request["message_id"], member)
    assert (await front_end.submit(page, code=code_in(request))).status_code == 303


async def test_an_answer_that_comes_twice_or_says_another_changes_nothing(
    provider: Provider, front_end: FrontEnd
) -> None:
    member, number = await a_member(provider), a_number()
    await ask_for_own(front_end, NAME, number)
    [request] = await requests(provider, person_index=person_index(NAME, number))
    for person_id in (None, member, member, await a_member(provider), None):
        await answered(provider, request["message_id"], person_id)
    assert (await proof_of(provider, request["message_id"])).person_id == member
    await answered(provider, str(new_id()), member)


@pytest.mark.parametrize("typed", [("", "522731199001011234"), (NAME, "12"), ("张\u202e三", "522731199001011234")])
async def test_what_can_be_no_name_and_number_is_said_at_once(
    provider: Provider, front_end: FrontEnd, typed: tuple[str, str]
) -> None:
    before = len(await requests(provider))
    refused = await ask_for_own(front_end, *typed)
    assert (refused.status_code, "identity number of 18" in refused.text) == (400, True)
    assert len(await requests(provider)) == before


async def test_codes_for_one_person_are_bounded_whoever_asks(provider: Provider) -> None:
    number = a_number()
    statuses = [(await ask_for_own(provider.front_end(), NAME, number)).status_code for _ in range(2)]
    assert statuses == [303, 429]


async def test_who_has_an_account_is_led_to_it_and_nothing_is_overwritten(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    member, username = await provider.open_person()
    await phones.give(member)
    there = await proven(provider, front_end, member)
    assert "You have an account already" in there.text
    assert username not in there.text
    assert "<form" not in there.text
    token = front_end.http.cookies["form"]
    forced = {"form_token": token, "username": "another.name", "password": OWN}
    await front_end.http.post("/sign-in/own-account/password", data=forced)
    assert (await provider.front_end().tokens(username, PASSWORD)).access


async def test_an_account_that_waits_becomes_its_persons_whoever_took_the_first_password(provider: Provider) -> None:
    member, username, _, _ = await opened_for_a_member(provider)
    opener = provider.front_end()
    page = await first_page(opener, username)
    theirs = provider.front_end()
    form = await proven(provider, theirs, member)
    assert username in form.text
    done = await theirs.submit(form, username="not.this.one", password="a password of the member")
    assert done.headers["location"] == "/sign-in"
    assert "signed in" in (await theirs.http.get("/sign-in")).text
    gone = await opener.http.get(str(page.url))
    assert gone.headers["location"].startswith("/sign-in?")
    again = await opener.submit(
        await opener.http.get((await opener.authorize()).headers["location"]), username=username, password=GIVEN
    )
    assert again.status_code == 400
    assert (await provider.front_end().tokens(username, "a password of the member")).access


async def test_whose_affiliation_has_not_arrived_is_asked_to_wait(provider: Provider, front_end: FrontEnd) -> None:
    page = await proven(provider, front_end, new_id())
    assert "try again in a few minutes" in page.text


async def test_a_code_is_good_in_its_browser_alone(provider: Provider, front_end: FrontEnd) -> None:
    page, code = await asked(provider, front_end, await a_member(provider), a_number())
    other = provider.front_end()
    there = await other.http.get("/sign-in/own-account")
    other.http.cookies.set("challenge", front_end.http.cookies["challenge"])
    theirs = await other.http.get("/sign-in/own-account/code")
    assert there.status_code == theirs.status_code == 200
    assert (await other.submit(theirs, code=code)).status_code == 400
    forged = await front_end.http.post("/sign-in/own-account/code", data={"code": code, "form_token": "guessed"})
    assert forged.status_code == 403
    assert (await front_end.submit(page, code=code)).status_code == 303


async def test_neither_name_nor_number_nor_code_is_kept_or_told(provider: Provider, front_end: FrontEnd) -> None:
    number = a_number()
    _, code = await asked(provider, front_end, await a_member(provider), number)
    [request] = await requests(provider, person_index=person_index(NAME, number))
    assert not {NAME, number, code} & {str(value) for value in request.values()}
    proof = await proof_of(provider, request["message_id"])
    kept = [getattr(proof, column.key) for column in PhoneProof.__table__.columns]
    assert not [value for value in kept if isinstance(value, str | bytes) and str(value) in {NAME, number, code}]
    async with provider.database.read() as session:
        assert await session.scalar(select(PhoneProof.bound_to).where(PhoneProof.proof_id == proof.proof_id))
