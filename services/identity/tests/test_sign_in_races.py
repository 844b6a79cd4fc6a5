"""What opened an account a moment ago opens nothing once it was changed or removed, however close the two came."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from httpx import Response
from sqlalchemy import Select, select

from database import new_id, utc_now
from identity.accounts.credentials import named, set_password
from identity.accounts.phones import phone_on_file
from identity.accounts.tables import Credential
from identity.credentials.passwords import Passwords
from identity.factors.passkeys.commands import usable_passkey
from identity.factors.wechat.commands import Linked, lasting_link
from identity.sessions.browser import Proven, begin_session
from identity.sessions.tables import BrowserSession
from identity.sign_in.password_guess import check_password

from .front_end import PASSWORD, FrontEnd
from .phones import Phones, new_number
from .provider import QUICK, Provider, ring
from .test_first_password import OWN, given
from .test_refresh import waiting
from .test_sign_in_by_code import page_for_code

CHANGED = QUICK.hash(OWN)


async def change_while(provider: Provider, person_id: UUID, send: Callable[[], Awaitable[Response]]) -> Response:
    """Send a request that checks the old password, and let a change of it commit before the request goes on."""
    async with provider.database.transaction() as session:
        await set_password(session, account_id=person_id, encoding=CHANGED, new_id=new_id, now=utc_now())
        sending = asyncio.ensure_future(send())
        async with asyncio.timeout(10):
            while await waiting(provider) < 1:
                await asyncio.sleep(0.02)
    return await sending


async def living(provider: Provider, person_id: UUID) -> list[list[str]]:
    """Give by which ways each living session of a person was begun."""
    mine = select(BrowserSession.amr).where(BrowserSession.account_id == person_id, BrowserSession.ended_at.is_(None))
    async with provider.database.read() as session:
        return [list(amr) for amr in await session.scalars(mine)]


async def password_of(provider: Provider, person_id: UUID) -> str | None:
    async with provider.database.read() as session:
        return await session.scalar(select(Credential.secret).where(Credential.account_id == person_id))


@pytest.mark.parametrize("chosen", [True, False])
async def test_a_password_that_is_changed_while_it_is_checked_is_a_wrong_one(
    provider: Provider, front_end: FrontEnd, chosen: bool
) -> None:
    person_id, username = await provider.open_person(chosen=chosen)
    page = await front_end.http.get("/sign-in")
    late = await change_while(provider, person_id, lambda: front_end.submit(page, username=username, password=PASSWORD))
    wrong = await front_end.submit(page, username=username, password="another password")
    assert (late.status_code, late.text) == (400, wrong.text)
    assert await living(provider, person_id) == []
    assert (await provider.front_end().tokens(username, OWN)).access


async def test_a_first_password_that_was_checked_begins_no_session_once_its_owner_chose_another(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person(chosen=False)
    passwords = Passwords()
    proven = await check_password(
        provider.database,
        passwords,
        named(ring(), username).identifiers,
        password=PASSWORD,
        client_address="192.0.2.1",
        now=utc_now(),
    )
    passwords.close()
    assert proven is not None
    assert (await front_end.submit(await given(front_end, username, "/sign-in"), password=OWN)).status_code == 303
    chosen = await password_of(provider, person_id)
    assert await begun(provider, proven._replace(rehashed=QUICK.hash(PASSWORD))) is None
    assert await password_of(provider, person_id) == chosen


async def begun(provider: Provider, proven: Proven) -> object:
    async with provider.database.transaction() as session:
        return await begin_session(session, proven, session_id=new_id(), replacing=None, now=utc_now())


async def test_a_password_that_is_changed_while_it_is_checked_raises_no_session(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    await front_end.submit(await page_for_code(front_end, number), code=await phones.code_to(number))
    page = await front_end.http.get("/sign-in/second-factor", params=front_end.request(acr_values="2"))
    late = await change_while(provider, person_id, lambda: front_end.submit(page, way="password", password=PASSWORD))
    assert late.headers["location"].startswith("/sign-in?")
    assert await living(provider, person_id) == [["sms"]]


async def test_a_code_to_a_phone_that_is_no_longer_the_accounts_signs_nobody_in(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, number)
    code = await phones.code_to(number)
    await phones.give(person_id)
    assert (await front_end.submit(page, code=code)).status_code == 400
    assert await living(provider, person_id) == []


@pytest.mark.parametrize(
    "gone",
    [
        lambda person_id: phone_on_file(ring(), person_id, f"+86{new_number()}"),
        lambda _: usable_passkey(new_id()),
        lambda person_id: lasting_link(Linked(new_id(), person_id)),
    ],
    ids=["phone", "passkey", "wechat"],
)
async def test_what_the_account_no_longer_has_begins_no_session(
    provider: Provider, gone: Callable[[UUID], Select[UUID]]
) -> None:
    person_id, _ = await provider.open_person()
    assert await begun(provider, Proven(person_id, "1", ("sms",), gone(person_id))) is None
    assert await living(provider, person_id) == []
