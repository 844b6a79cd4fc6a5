"""Recovering an account: by code for who holds no role, and for officers never by a code alone."""

from datetime import timedelta
from uuid import UUID

import httpx
from sqlalchemy import select, update

import orgtree
from database import new_id, utc_now
from identity.accounts.tables import Account, Credential
from identity.factors.tables import FederatedIdentity, Totp
from identity.recovery.tables import Recovery
from identity.throttling.tables import RateCount

from .front_end import PASSWORD, FrontEnd, Tokens
from .phones import Phones
from .provider import Provider
from .step_up import stronger

NEW = "a better password"
OFFICER = ("officer", orgtree.ROOT_ID)


async def ask(
    front_end: FrontEnd, phones: Phones, number: str, *, page: str = "recovery", **fields: str
) -> httpx.Response:
    """Prove the phone on the page of recovery (or objection) and give what comes then."""
    await phones.messages_to(number)  # notices are there before the code: what waits together goes out together
    asked = await front_end.http.get(f"/sign-in/{page}")
    sent = await front_end.submit(asked, phone=number)
    assert sent.status_code == 303, sent.text
    code_page = await front_end.http.get(sent.headers["location"])
    return await front_end.submit(code_page, code=await phones.code_to(number), **fields)


async def let_pass(provider: Provider, person_id: UUID, wait: timedelta) -> None:
    """Let time pass for the recoveries of a person, and for how often codes were asked for."""
    async with provider.database.transaction() as session:
        earlier = {"ready_at": Recovery.ready_at - wait, "expires_at": Recovery.expires_at - wait}
        await session.execute(update(Recovery).where(Recovery.account_id == person_id).values(earlier))
        await session.execute(update(RateCount).values(expires_at=utc_now()))


async def set_password(front_end: FrontEnd, answer: httpx.Response, password: str = NEW) -> httpx.Response:
    assert answer.status_code == 303, answer.text
    page = await front_end.http.get(answer.headers["location"])
    return await front_end.submit(page, password=password)


async def approve(provider: Provider, recovery_id: str, officer: Tokens) -> httpx.Response:
    return await provider.http.post(f"/v1/recoveries/{recovery_id}/approvals", headers=officer.headers)


async def recoveries(provider: Provider, officer: Tokens, **query: str) -> list[dict[str, object]]:
    answer = await provider.http.get("/v1/recoveries", params=query, headers=officer.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def test_who_holds_no_role_recovers_by_a_code_and_every_session_ends(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    web = provider.web_front_end()
    tokens = await web.tokens(username)
    answer = await ask(front_end, phones, number)
    weak = await set_password(front_end, answer, "woaini1314")
    assert (weak.status_code, "too common" in weak.text) == (400, True)
    short = await set_password(front_end, answer, "short")
    assert (short.status_code, "8 to 128" in short.text) == (400, True)
    done = await set_password(front_end, answer)
    assert "signed out on all devices" in done.text
    assert (await set_password(front_end, answer, "yet another password")).status_code == 400  # once
    assert (await web.refresh(tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await web.authorize()).headers["location"].startswith("/sign-in?")
    assert (await provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 401
    assert (await provider.front_end().tokens(username, NEW)).access
    old = await provider.http.get("/sign-in")
    assert (await provider.front_end().submit(old, username=username, password=PASSWORD)).status_code in {400, 403}
    assert [sent.template for sent in await phones.messages_to(number)] == ["code_recovery.en", "recovered.en"]


async def test_an_officer_is_not_recovered_by_a_code_alone(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    """Check 17, first half."""
    county = await provider.establish()
    person_id, username = await provider.open_person(("officer", county))
    number = await phones.give(person_id)
    answer = await ask(front_end, phones, number)
    assert answer.status_code == 200
    assert "two officers have to agree" in answer.text
    password = await front_end.http.get("/sign-in/recovery/password")
    assert "begin again" in (await front_end.submit(password, password=NEW)).text
    assert (await provider.front_end().tokens(username)).access  # the old password goes on
    assert (await phones.messages_to(number))[-1].template == "recovery_requested.en"
    async with provider.database.read() as session:
        kept = await session.scalar(select(Recovery).where(Recovery.account_id == person_id))
    assert kept is not None
    assert (kept.status, kept.needs_approval, kept.ready_at) == ("requested", True, None)


async def test_two_officers_and_a_day_later_the_officer_is_back_and_all_sessions_have_ended(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    """Check 17, second half."""
    county = await provider.establish()
    person_id, username = await provider.open_person(("officer", county))
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == person_id).values(organisation_id=county))
    number = await phones.give(person_id)
    before = await provider.front_end().tokens(username)
    first = await stronger(provider, phones, ("branch_secretary", county))
    second = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    await ask(front_end, phones, number)

    [asked] = [each for each in await recoveries(provider, first) if each["person_id"] == str(person_id)]
    recovery_id = str(asked["recovery_id"])
    assert (asked["status"], asked["approved_by"]) == ("requested", [])
    assert (await approve(provider, recovery_id, first)).json()["status"] == "requested"
    again = await approve(provider, recovery_id, first)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already_approved")
    approved = (await approve(provider, recovery_id, second)).json()
    assert (approved["status"], len(approved["approved_by"])) == ("approved", 2)
    assert (await approve(provider, recovery_id, second)).status_code == 409
    assert "recovery_approved.zh" in [sent.template for sent in await phones.messages_to(number)]

    await let_pass(provider, person_id, timedelta(hours=23, minutes=50))
    early = await ask(front_end, phones, number)
    assert "Your request was approved" in early.text
    await let_pass(provider, person_id, timedelta(minutes=20))
    done = await set_password(front_end, await ask(front_end, phones, number))
    assert "signed out on all devices" in done.text
    assert (await provider.front_end().refresh(before.refresh)).json()["error"] == "invalid_grant"
    assert (await provider.front_end().tokens(username, NEW)).access
    assert (await phones.messages_to(number))[-1].template == "recovered.en"
    [completed] = await recoveries(provider, first, status="completed")
    assert completed["recovery_id"] == recovery_id


async def test_only_other_officers_of_the_remit_who_proved_two_factors_approve(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    county, sibling = await provider.establish(), await provider.establish()
    person_id, _ = await provider.open_person(("branch_secretary", county))
    async with provider.database.transaction() as session:
        await session.execute(update(Account).where(Account.account_id == person_id).values(organisation_id=county))
    number = await phones.give(person_id)
    await ask(front_end, phones, number)
    async with provider.database.read() as session:
        found = await session.scalar(select(Recovery.recovery_id).where(Recovery.account_id == person_id))
    recovery_id = str(found)

    _, weak = await provider.weakly_signed_in(("officer", county))
    stepped = await approve(provider, recovery_id, weak)
    assert (stepped.status_code, stepped.json()["type"]) == (401, "/problems/step_up_required")
    _, registrar = await provider.signed_in(("registrar", county))
    assert (await approve(provider, recovery_id, registrar)).status_code == 403
    elsewhere = await stronger(provider, phones, ("officer", sibling))
    assert (await approve(provider, recovery_id, elsewhere)).status_code == 404
    assert await recoveries(provider, elsewhere) == []
    assert (await provider.http.post(f"/v1/recoveries/{recovery_id}/approvals")).status_code == 401
    _, nobody = await provider.signed_in()
    assert await recoveries(provider, nobody) == []


async def test_the_owner_objects_by_a_living_session_or_by_a_code(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    county = await provider.establish()
    for by_code in (False, True):
        person_id, username = await provider.open_person(("officer", county))
        number = await phones.give(person_id)
        owner = await provider.front_end().tokens(username)
        await ask(front_end, phones, number)
        [mine] = await recoveries(provider, owner)
        _, stranger = await provider.signed_in()
        objection = f"/v1/recoveries/{mine['recovery_id']}/objection"
        assert (await provider.http.post(objection, headers=stranger.headers)).status_code == 404
        await let_pass(provider, person_id, timedelta())
        if by_code:
            stopped = await ask(front_end, phones, number, page="objection")
            assert "is stopped" in stopped.text
            await let_pass(provider, person_id, timedelta())
            assert "Nobody has asked" in (await ask(front_end, phones, number, page="objection")).text
        else:
            answered = await provider.http.post(objection, headers=owner.headers)
            assert (answered.status_code, answered.json()["status"]) == (201, "objected")
            assert (await provider.http.post(objection, headers=owner.headers)).status_code == 404
        [mine] = await recoveries(provider, owner)
        assert mine["status"] == "objected"
        assert (await provider.front_end().tokens(username)).access


async def test_second_factors_go_when_they_were_said_to_be_lost_and_only_then(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    first = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    second = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    left: dict[tuple[bool, bool], int] = {}
    wechat: dict[tuple[bool, bool], int] = {}
    for lost, roles in (({}, [OFFICER]), ({"lost_device": "yes"}, [OFFICER]), ({"lost_device": "yes"}, [])):
        person_id, _ = await provider.open_person(*roles)
        number = await phones.give(person_id)
        async with provider.database.transaction() as session:
            totp = {"totp_id": new_id(), "account_id": person_id, "sealed": b"sealed", "made_at": utc_now()}
            session.add(Totp(**totp, confirmed_at=utc_now(), last_used_step=1))
            known = {"provider": "wechat", "subject_index": person_id.bytes, "linked_at": utc_now()}
            session.add(FederatedIdentity(federated_identity_id=new_id(), account_id=person_id, **known))
        await ask(front_end, phones, number, **lost)
        listed = await recoveries(provider, first, status="requested")
        [asked] = [each for each in listed if each["person_id"] == str(person_id)]
        assert asked["lost_device"] is bool(lost)
        for officer in (first, second):
            assert (await approve(provider, str(asked["recovery_id"]), officer)).status_code == 201
        await let_pass(provider, person_id, timedelta(hours=25))
        done = await set_password(front_end, await ask(front_end, phones, number))
        assert "signed out on all devices" in done.text
        async with provider.database.read() as session:
            for kept, table in ((left, Totp), (wechat, FederatedIdentity)):
                found = await session.scalars(select(table).where(table.account_id == person_id))
                kept[bool(lost), bool(roles)] = len(found.all())
    assert left == wechat == {(False, True): 1, (True, True): 0, (True, False): 0}


async def test_an_officer_cannot_approve_the_own_recovery(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    owner = await stronger(provider, phones, ("officer", orgtree.ROOT_ID))
    me = (await provider.http.get("/v1/me", headers=owner.headers)).json()["person_id"]
    number = phones.numbers[UUID(me)]
    await let_pass(provider, UUID(me), timedelta())
    await ask(front_end, phones, number)
    [mine] = [each for each in await recoveries(provider, owner) if each["person_id"] == me]
    refused = await approve(provider, str(mine["recovery_id"]), owner)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/own_recovery")


async def test_a_request_that_nobody_approves_lapses_and_a_role_given_meanwhile_counts(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person(("officer", orgtree.ROOT_ID))
    number = await phones.give(person_id)
    await ask(front_end, phones, number)
    await let_pass(provider, person_id, timedelta(days=7))
    await ask(front_end, phones, number)
    async with provider.database.read() as session:
        statuses = (await session.scalars(select(Recovery.status).where(Recovery.account_id == person_id))).all()
        credential = await session.scalar(select(Credential.secret).where(Credential.account_id == person_id))
    assert sorted(statuses) == ["lapsed", "requested"]
    assert credential is not None
