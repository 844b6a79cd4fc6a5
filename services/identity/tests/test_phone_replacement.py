"""A new phone on file: proven to one officer, agreed to by another, and a day in which the owner can object."""

import asyncio
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, text, update

import orgtree
from database import new_id, utc_now
from identity.accounts.phones import phone_of, put_on_file
from identity.phone_replacement.completion import apply_what_is_ready
from identity.phone_replacement.tables import PhoneReplacement
from identity.privacy.removal import forget
from identity.throttling.tables import RateCount

from .front_end import Tokens, answer_of
from .granting import delegate, grant, strongly_signed_in, with_second_factor
from .phones import Phones, new_number
from .provider import Provider, ring
from .test_delegation import holding
from .test_recovery import ask

PATH = "/v1/phone-replacements"
DAY = timedelta(hours=24, minutes=1)


class Office(NamedTuple):
    """Two officers, and the person who comes to them, with the number on file and the new one."""

    provider: Provider
    phones: Phones
    one: Tokens
    other: Tokens
    person_id: UUID
    username: str
    old: str
    new: str

    async def post(self, path: str, officer: Tokens, body: Any = None) -> httpx.Response:
        return await self.provider.http.post(f"{PATH}{path}", json=body, headers=officer.headers)

    async def propose(self, officer: Tokens | None = None, **changed: object) -> httpx.Response:
        body = {"person_id": str(self.person_id), "phone": self.new, **changed}
        return await self.post("", officer or self.one, body)

    async def confirmed(self) -> str:
        """Propose and confirm; give the id."""
        await self.phones.messages_to(self.new)  # an earlier code is there first: what waits together goes out together
        proposed = await self.propose()
        assert proposed.status_code == 201, proposed.text
        replacement_id: str = proposed.json()["replacement_id"]
        done = await self.confirm(replacement_id, await self.code())
        assert done.json()["status"] == "confirmed", done.text
        return replacement_id

    async def confirm(self, replacement_id: str, code: str, officer: Tokens | None = None) -> httpx.Response:
        return await self.post(f"/{replacement_id}/confirmation", officer or self.one, {"code": code})

    async def approve(self, replacement_id: str, officer: Tokens | None = None) -> httpx.Response:
        return await self.post(f"/{replacement_id}/approvals", officer or self.other)

    async def code(self) -> str:
        last = (await self.phones.messages_to(self.new))[-1]
        assert last.template.startswith("code_phone_replacement."), last.template
        return last.parameters[0]

    async def let_pass(self, wait: timedelta) -> None:
        """Let time pass, and the worker's job run."""
        async with self.provider.database.transaction() as session:
            mine = PhoneReplacement.account_id == self.person_id
            earlier = {
                "ready_at": PhoneReplacement.ready_at - wait,
                "expires_at": PhoneReplacement.expires_at - wait,
            }
            await session.execute(update(PhoneReplacement).where(mine).values(earlier))
            await session.execute(update(RateCount).values(expires_at=utc_now()))
        await apply_what_is_ready(ring(), self.provider.database)

    async def belong_to(self, organisation_id: UUID) -> None:
        async with self.provider.database.transaction() as session:
            belongs = text("update account set organisation_id = :place where account_id = :person")
            await session.execute(belongs, {"place": organisation_id, "person": self.person_id})

    async def told(self, number: str) -> list[str]:
        """Give the templates of what came to a number."""
        return [each.template for each in await self.phones.messages_to(number)]

    async def on_file(self) -> str | None:
        async with self.provider.database.read() as session:
            return await phone_of(session, ring(), self.person_id)

    async def kept(self) -> list[tuple[str, bool]]:
        """Give the status of each replacement, the newest last, and whether it holds a number."""
        asked = select(PhoneReplacement.status, PhoneReplacement.sealed_phone.is_not(None))
        mine = asked.where(PhoneReplacement.account_id == self.person_id).order_by(PhoneReplacement.proposed_at)
        async with self.provider.database.read() as session:
            return [(status, holds) for status, holds in (await session.execute(mine))]

    async def recorded(self) -> list[tuple[str, bool]]:
        """Give what the audit says of the person's phone, and whether somebody did it."""
        asked = text(
            "select action, actor is not null from audit.entry"
            " where subject = :subject and action like 'identity.phone_replacement.%' order by id"
        )
        async with self.provider.database.read() as session:
            rows = await session.execute(asked, {"subject": self.person_id})
            return [(action.rpartition(".")[2], somebody) for action, somebody in rows]


@pytest_asyncio.fixture
async def office(provider: Provider, phones: Phones) -> Office:
    return await an_office(provider, phones)


async def an_office(provider: Provider, phones: Phones) -> Office:
    county = await provider.establish()
    _, one = await strongly_signed_in(provider, ("officer", county))
    _, other = await strongly_signed_in(provider, ("branch_secretary", county))
    return await office_for(provider, phones, one, other, county)


async def office_for(provider: Provider, phones: Phones, one: Tokens, other: Tokens, county: UUID) -> Office:
    person_id, username = await provider.open_person()
    async with provider.database.transaction() as session:
        await session.execute(update(RateCount).values(expires_at=utc_now()))
    old = await phones.give(person_id)
    office = Office(provider, phones, one, other, person_id, username, old, new_number())
    await office.belong_to(county)
    return office


async def signs_in_by(office: Office, number: str) -> bool:
    """Say whether a code to this number signs the person in."""
    front_end = office.provider.front_end()
    start = (await front_end.authorize()).headers["location"].replace("/sign-in?", "/sign-in/code?")
    sent = await front_end.submit(await front_end.http.get(start), phone=number)
    assert sent.status_code == 303, sent.text
    got = [each for each in await office.phones.messages_to(number) if each.template == "code.en"]
    if not got:
        return False
    code_page = await front_end.http.get(sent.headers["location"])
    return "code" in answer_of(await front_end.submit(code_page, code=got[-1].parameters[0])).parameters


async def test_two_officers_and_a_day_later_the_new_number_signs_in_and_the_old_one_no_more(office: Office) -> None:
    before = await office.provider.front_end().tokens(office.username)
    proposed = await office.propose()
    assert proposed.status_code == 201, proposed.text
    assert (proposed.json()["status"], proposed.json()["ends_in"]) == ("proposed", office.new[-4:])
    assert office.new not in proposed.text
    replacement_id = proposed.json()["replacement_id"]
    code = await office.code()
    early = await office.approve(replacement_id)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/phone_replacement_over")
    wrong = await office.confirm(replacement_id, f"{(int(code) + 1) % 10**6:06}")
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/code_refused")
    assert (await office.confirm(replacement_id, code, office.other)).status_code == 404  # whoever has seen the phone
    assert (await office.confirm(replacement_id, code)).json()["status"] == "confirmed"
    approved = await office.approve(replacement_id)
    assert (approved.status_code, approved.json()["status"]) == (201, "approved")

    await office.let_pass(timedelta(hours=23, minutes=50))
    assert await office.on_file() == f"+86{office.old}"
    assert (await office.provider.front_end().refresh(before.refresh)).status_code == 200
    await office.let_pass(timedelta(minutes=20))
    assert await office.on_file() == f"+86{office.new}"
    assert await office.kept() == [("completed", False)]
    assert (await office.provider.http.get("/oauth2/userinfo", headers=before.headers)).status_code == 401
    assert {each.template for each in await office.phones.messages_to(office.old)} == {
        "phone_replacement_proposed.zh",
        "phone_replacement_approved.zh",
        "phone_replaced.zh",
    }
    assert not await signs_in_by(office, office.old)
    assert await signs_in_by(office, office.new)
    assert (await office.provider.front_end().tokens(office.username)).access  # the password is what it was
    assert await office.recorded() == [
        ("proposed", True), ("confirmed", True), ("approved", True), ("completed", False)
    ]  # fmt: skip


async def test_one_officer_is_not_enough_and_nobody_decides_for_themselves(office: Office) -> None:
    replacement_id = await office.confirmed()
    again = await office.approve(replacement_id, office.one)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already_approved")
    await office.let_pass(DAY)
    assert await office.on_file() == f"+86{office.old}"
    me = (await office.provider.http.get("/v1/me", headers=office.one.headers)).json()["person_id"]
    own = await office.propose(person_id=me)
    assert (own.status_code, own.json()["type"]) == (403, "/problems/own_phone_replacement")


async def test_only_officers_of_the_remit_by_two_factors_decide(office: Office, provider: Provider) -> None:
    sibling = await provider.establish()
    _, elsewhere = await strongly_signed_in(provider, ("officer", sibling))
    _, registrar = await strongly_signed_in(provider, ("registrar", orgtree.ROOT_ID))
    _, weak = await provider.weakly_signed_in(("officer", orgtree.ROOT_ID))
    assert (await office.propose(elsewhere)).status_code == 404
    assert (await office.propose(registrar)).status_code == 403
    assert (await office.propose(weak)).json()["type"] == "/problems/step_up_required"
    assert (await office.propose(person_id=str(new_id()))).status_code == 404
    replacement_id = await office.confirmed()
    assert (await office.approve(replacement_id, elsewhere)).status_code == 404
    assert (await office.approve(replacement_id, weak)).status_code == 401
    listed = await provider.http.get(PATH, headers=elsewhere.headers)
    assert listed.json()["items"] == []
    mine = await provider.http.get(PATH, params={"status": "confirmed"}, headers=office.other.headers)
    assert [each["replacement_id"] for each in mine.json()["items"]] == [replacement_id]


async def test_officers_below_do_not_give_a_phone_to_who_holds_a_role_above(office: Office, provider: Provider) -> None:
    _, security = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
    body = {"person_id": str(office.person_id), "role": "officer", "organisation_id": str(orgtree.ROOT_ID)}
    granted = await grant(provider, security, **body)
    assert granted.status_code == 201, granted.text
    refused = await office.propose()
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role_beyond_scope")


async def test_an_officer_and_their_deputy_are_one(provider: Provider, phones: Phones) -> None:
    source, _, officer, _ = await holding(provider, orgtree.ROOT_ID)
    person_id, username = await provider.open_person()
    assert (await delegate(provider, officer, source, person_id=person_id)).status_code == 201
    deputy = await with_second_factor(provider, await provider.front_end().tokens(username))
    office = await office_for(provider, phones, officer, deputy, orgtree.ROOT_ID)
    refused = await office.approve(await office.confirmed())
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not_independent")


@pytest.mark.parametrize("by_code", [True, False])
async def test_the_owner_objects_by_the_old_phone_or_a_living_session(office: Office, by_code: bool) -> None:
    owner = await office.provider.front_end().tokens(office.username)
    replacement_id = await office.confirmed()
    assert (await office.approve(replacement_id)).status_code == 201
    objection = f"/{replacement_id}/objection"
    assert (await office.post(objection, office.one)).status_code == 404
    if by_code:
        stopped = await ask(office.provider.front_end(), office.phones, office.old, page="objection")
        assert "It is stopped" in stopped.text
    else:
        seen = await office.provider.http.get(PATH, headers=owner.headers)
        assert [each["replacement_id"] for each in seen.json()["items"]] == [replacement_id]
        assert (await office.post(objection, owner)).json()["status"] == "objected"
        assert (await office.post(objection, owner)).status_code == 404
    await office.let_pass(DAY)
    assert await office.on_file() == f"+86{office.old}"
    assert await office.kept() == [("objected", False)]
    assert (await office.recorded())[-1] == ("objected", True)


async def test_a_number_of_somebody_else_is_told_only_to_who_can_read_its_code(
    office: Office, provider: Provider, phones: Phones
) -> None:
    somebody, _ = await provider.open_person()
    office = office._replace(new=await phones.give(somebody))
    proposed = await office.propose()
    assert proposed.status_code == 201  # like any other number
    taken = await office.confirm(proposed.json()["replacement_id"], await office.code())
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/phone_taken")
    assert str(somebody) not in taken.text
    assert await office.kept() == [("lapsed", False)]


async def test_a_number_that_somebody_else_took_in_between_stays_theirs(office: Office, provider: Provider) -> None:
    await office.approve(await office.confirmed())
    somebody, _ = await provider.open_person()
    async with provider.database.transaction() as session:
        phone = f"+86{office.new}"
        await put_on_file(session, ring(), account_id=somebody, phone=phone, new_id=new_id, now=utc_now())
    await office.let_pass(DAY)
    assert await office.on_file() == f"+86{office.old}"
    assert await office.kept() == [("lapsed", False)]
    assert (await office.recorded())[-1] == ("lapsed", False)


async def test_of_two_at_once_one_is_proposed_and_an_unconfirmed_one_gives_way(office: Office) -> None:
    both = await asyncio.gather(office.propose(), office.propose(office.other, phone=new_number()))
    assert sorted(each.status_code for each in both) in ([201, 201], [201, 409])
    assert [status for status, _ in await office.kept()].count("proposed") == 1
    await office.let_pass(timedelta())
    await office.confirmed()
    await office.let_pass(timedelta())
    second = await office.propose(office.other, phone=new_number())
    assert (second.status_code, second.json()["type"]) == (409, "/problems/phone_replacement_under_way")


async def test_what_nobody_approves_lapses_after_a_week(office: Office) -> None:
    replacement_id = await office.confirmed()
    await office.let_pass(timedelta(days=7, minutes=1))
    assert await office.kept() == [("lapsed", False)]
    late = await office.approve(replacement_id)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/phone_replacement_over")


async def test_who_never_had_a_phone_gets_one_the_same_way(office: Office, provider: Provider) -> None:
    async with provider.database.transaction() as session:
        gone = text("delete from identifier where kind = 'phone' and account_id = :person")
        await session.execute(gone, {"person": office.person_id})
    await office.approve(await office.confirmed())
    await office.let_pass(DAY)
    assert await signs_in_by(office, office.new)


@pytest.mark.parametrize("how", ["erased", "deactivated", "found"])
async def test_nothing_comes_of_it_for_who_is_gone_or_has_their_phone_again(
    office: Office, provider: Provider, how: str
) -> None:
    owner = await with_second_factor(provider, await provider.front_end().tokens(office.username))
    await office.approve(await office.confirmed())
    if how == "erased":
        async with provider.database.transaction() as session:
            await forget(session, [office.person_id])
        assert await office.kept() == []
    elif how == "deactivated":
        _, security = await strongly_signed_in(provider, ("security_administrator", orgtree.ROOT_ID))
        path = f"/v1/accounts/{office.person_id}/deactivation"
        assert (await provider.http.post(path, headers=security.headers)).status_code == 200
        assert await office.kept() == [("lapsed", False)]
    else:
        number = new_number()
        sent = await provider.http.post("/v1/me/phone", json={"phone": number}, headers=owner.headers)
        body = {"challenge_id": sent.json()["challenge_id"], "code": await office.phones.code_to(number)}
        assert (await provider.http.post("/v1/me/phone/confirmation", json=body, headers=owner.headers)).is_success
        assert await office.kept() == [("lapsed", False)]
    await office.let_pass(DAY)
    assert await office.on_file() != f"+86{office.new}"


async def test_a_recovery_that_the_old_phone_began_ends_with_it(office: Office, provider: Provider) -> None:
    finder = provider.front_end()
    begun = await ask(finder, office.phones, office.old)
    page = await finder.http.get(begun.headers["location"])
    await office.approve(await office.confirmed())
    await office.let_pass(DAY)
    late = await finder.submit(page, password="a finder's password")
    assert "begin again" in late.text
