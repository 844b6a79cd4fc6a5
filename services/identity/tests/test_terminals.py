"""Shared terminals: two people in turn on one machine never see each other's things, and it forgets them by itself."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest_asyncio
from joserfc import jws
from sqlalchemy import select, update

from database import utc_now
from identity.accounts.tables import Identifier
from identity.sessions.tables import BrowserSession, TokenFamily

from .front_end import Tokens, tokens_of
from .provider import Provider
from .terminals import Device, Phone, register_terminal


@pytest_asyncio.fixture
async def terminal(provider: Provider) -> Device:
    return Device(provider, await register_terminal(provider), device_id="hall-of-stone-bridge", device_label="石桥村")


async def phone(provider: Provider) -> Phone:
    _, username = await provider.open_person()
    return Phone(provider, username)


async def id_of(provider: Provider, phone: Phone) -> UUID:
    async with provider.database.read() as session:
        named = select(Identifier.account_id).where(Identifier.plain == phone.username)
        return (await session.scalars(named)).one()


async def family_of(provider: Provider, phone: Phone, client_id: str = "village-terminal") -> TokenFamily:
    me = await id_of(provider, phone)
    async with provider.database.read() as session:
        mine = (TokenFamily.account_id == me, TokenFamily.client_id == client_id)
        return (await session.scalars(select(TokenFamily).where(*mine))).one()


async def still_in(terminal: Device, tokens: Tokens) -> bool:
    return (await terminal.provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 200


async def name_at(terminal: Device, tokens: Tokens) -> str:
    answer = await terminal.provider.http.get("/v1/me", headers=tokens.headers)
    return str(answer.json()["username"])


async def test_two_people_in_turn_on_one_terminal_do_not_see_each_others_things(
    provider: Provider, terminal: Device
) -> None:
    first, second = await phone(provider), await phone(provider)
    of_first = await terminal.tokens_for(first)
    assert await name_at(terminal, of_first) == first.username
    signed_out = await provider.http.post(
        "/oauth2/revoke", data={"client_id": terminal.client_id, "token": of_first.refresh}
    )
    assert signed_out.status_code == 200
    of_second = await terminal.tokens_for(second)
    assert await name_at(terminal, of_second) == second.username
    assert not await still_in(terminal, of_first)
    assert (await terminal.refresh(of_first)).json()["error"] == "invalid_grant"
    assert (await terminal.refresh(of_second)).status_code == 200


async def test_a_new_sign_in_at_a_terminal_ends_the_one_before(provider: Provider, terminal: Device) -> None:
    first, second = await phone(provider), await phone(provider)
    elsewhere = Device(provider, terminal.client_id, device_id="hall-of-clear-spring")
    at_other = await elsewhere.tokens_for(first)
    of_first = await terminal.tokens_for(first)
    of_second = await terminal.tokens_for(second)
    assert not await still_in(terminal, of_first)
    assert (await terminal.refresh(of_first)).json()["error"] == "invalid_grant"
    assert await still_in(terminal, of_second)
    assert await still_in(elsewhere, at_other)


async def test_two_sign_ins_at_once_at_a_terminal_leave_one(provider: Provider, terminal: Device) -> None:
    devices = [Device(provider, terminal.client_id, device_id="hall-of-two") for _ in range(4)]
    for device in devices:
        await device.begin()
        await (await phone(provider)).decide(device.codes["user_code"])
    answers = await asyncio.gather(*(device.poll() for device in devices))
    assert {answer.status_code for answer in answers} == {200}
    alive = [await still_in(terminal, tokens_of(answer)) for answer in answers]
    assert sorted(alive) == [False, False, False, True]


async def test_a_terminal_forgets_a_person_after_ten_idle_minutes_and_eight_hours(
    provider: Provider, terminal: Device
) -> None:
    person = await phone(provider)
    await terminal.begin()
    await person.decide(terminal.codes["user_code"])
    answer = await terminal.poll()
    assert answer.json()["expires_in"] == 300
    tokens = tokens_of(answer)
    began = await family_of(provider, person)
    assert began.idle_until is not None
    assert abs(began.expires_at - utc_now() - timedelta(hours=8)) < timedelta(minutes=1)
    assert abs(began.idle_until - utc_now() - timedelta(minutes=10)) < timedelta(minutes=1)

    this = TokenFamily.family_id == began.family_id
    async with provider.database.transaction() as session:
        nearly = utc_now() + timedelta(seconds=30)
        await session.execute(update(TokenFamily).where(this).values(idle_until=nearly))
    tokens = tokens_of(await terminal.refresh(tokens))
    kept = await family_of(provider, person)
    assert kept.idle_until is not None
    assert kept.idle_until > nearly + timedelta(minutes=9)
    assert kept.expires_at == began.expires_at

    async with provider.database.transaction() as session:
        await session.execute(update(TokenFamily).where(this).values(idle_until=utc_now()))
    assert (await terminal.refresh(tokens)).json()["error"] == "invalid_grant"
    assert (await family_of(provider, person)).revoked_for == "idle"
    assert not await still_in(terminal, tokens)


async def test_a_terminal_never_shares_the_session_of_the_phone(provider: Provider, terminal: Device) -> None:
    person = await phone(provider)
    tokens = await terminal.tokens_for(person)
    family = await family_of(provider, person)
    async with provider.database.read() as session:
        sessions = (
            await session.scalars(
                select(BrowserSession.session_id).where(BrowserSession.account_id == family.account_id)
            )
        ).all()
    assert family.session_id not in sessions
    page = await person.http.get("/oauth2/end-session")
    await person.browser.submit(page)
    assert await still_in(terminal, tokens)
    again = await terminal.begin()
    assert (await person.http.get("/oauth2/device", params={"user_code": again["user_code"]})).status_code == 303


async def test_a_terminal_gets_one_factor_however_strongly_the_phone_was_signed_in(
    provider: Provider, terminal: Device
) -> None:
    person = await phone(provider)
    await person.page()
    me = await id_of(provider, person)
    async with provider.database.transaction() as session:
        mine = BrowserSession.account_id == me
        await session.execute(update(BrowserSession).where(mine).values(acr="3", amr=["hwk"]))
    tokens = await terminal.tokens_for(person)
    assert b'"acr":"1"' in (jws.extract_compact(tokens.access.encode()).payload or b"")


async def test_a_terminal_says_which_one_it_is(provider: Provider) -> None:
    nameless = Device(provider, await register_terminal(provider))
    refused = await nameless.ask()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
