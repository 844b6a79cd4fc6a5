"""Strangers who ask for codes to somebody's phone use up nobody's codes but strangers'."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

import orgtree
from database import utc_now
from identity.throttling.rates import subject_of
from identity.throttling.tables import GuessCount, RateCount

from .authenticator import set_up, tokens_by_two_factors
from .front_end import FrontEnd, answer_of
from .phone_proofs import ask_for_own
from .phones import Phones
from .provider import Provider, ring
from .test_first_sign_in import first_page, opened_for_a_member
from .test_guessing import somewhere
from .test_own_account_page import NAME, a_number
from .test_recovery import ask, recoveries


async def pass_time(provider: Provider, seconds: int) -> None:
    """Let the windows that are no longer than that go by."""
    async with provider.database.transaction() as session:
        gone = {"expires_at": utc_now() - timedelta(seconds=1)}
        await session.execute(update(RateCount).where(RateCount.window_seconds <= seconds).values(gone))


async def asked_for(front_end: FrontEnd, number: str) -> int:
    page = await front_end.http.get("/sign-in/code")
    return (await front_end.submit(page, phone=number)).status_code


async def by_strangers(provider: Provider, phones: Phones, number: str) -> None:
    """Ask for sign-in codes, each in a new browser, until there are no more today."""
    for _ in range(10):
        assert await asked_for(elsewhere(provider), number) == 303
        await pass_time(provider, 3600)
    assert await asked_for(elsewhere(provider), number) == 429
    await phones.messages_to(number)


def elsewhere(provider: Provider) -> FrontEnd:
    """Give a browser at an address that nobody has used."""
    front_end = provider.front_end()
    front_end.http.headers.update(somewhere())
    return front_end


async def signed_in_by_code(provider: Provider, phones: Phones, number: str) -> FrontEnd:
    """Give a browser on which the owner has signed in by a code, a while ago."""
    browser = elsewhere(provider)
    assert "code" in answer_of(await with_code(browser, phones, number)).parameters
    await pass_time(provider, 86_400)
    return browser


async def with_code(browser: FrontEnd, phones: Phones, number: str) -> httpx.Response:
    sent = await browser.authorize(prompt="login")
    page = await browser.http.get(sent.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    entering = await browser.http.get((await browser.submit(page, phone=number)).headers["location"])
    return await browser.submit(entering, code=await phones.code_to(number))


async def test_the_owner_still_objects_to_a_recovery(provider: Provider, front_end: FrontEnd, phones: Phones) -> None:
    person_id, username = await provider.open_person(("officer", orgtree.ROOT_ID))
    number = await phones.give(person_id)
    owner = await provider.front_end().tokens(username)
    await by_strangers(provider, phones, number)
    await ask(front_end, phones, number)
    await phones.messages_to(number)  # the notice is there before the next code: what waits together goes out together
    assert "is stopped" in (await ask(front_end, phones, number, page="objection")).text
    [mine] = [each for each in await recoveries(provider, owner) if each["person_id"] == str(person_id)]
    assert mine["status"] == "objected"
    assert [sent.template for sent in await phones.messages_to(number)][-3:] == [
        "code_recovery.en", "recovery_requested.en", "code_objection.en"
    ]  # fmt: skip


async def test_a_browser_of_the_owner_still_signs_in_by_code(provider: Provider, phones: Phones) -> None:
    number = await phones.give((await provider.open_person())[0])
    browser = await signed_in_by_code(provider, phones, number)
    await by_strangers(provider, phones, number)
    assert "code" in answer_of(await with_code(browser, phones, number)).parameters


async def test_who_knows_the_password_spends_no_codes_of_the_owners_browsers(
    provider: Provider, phones: Phones
) -> None:
    """Neither the codes to sign in by, nor those of a second factor."""
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    browser = await signed_in_by_code(provider, phones, number)
    for ask_for, whom in ((asked_for, number), (second_factor_for, username)):
        for expected in [True] * 10 + [False]:
            thief = elsewhere(provider)
            await thief.tokens(username)
            assert (await ask_for(thief, whom) < 400) is expected
            await pass_time(provider, 3600)
        await phones.messages_to(number)
    assert "code" in answer_of(await with_code(browser, phones, number)).parameters
    assert await second_factor_for(browser, username) == 200


@pytest.mark.parametrize("recovering", [False, True])
async def test_who_knows_the_password_keeps_no_browser_of_the_owners_from_the_app(
    provider: Provider, front_end: FrontEnd, recovering: bool
) -> None:
    """Neither from its codes nor from those that stand in for it; a browser that is new waits with the thief's."""
    person_id, username = await provider.open_person()
    app, recovery = await set_up(provider, await front_end.tokens(username))
    await tokens_by_two_factors(front_end, username, app)
    await guess_codes(provider, person_id, username)
    for browser, code, expected in (
        (elsewhere(provider), "000000", 429),
        (front_end, recovery[0] if recovering else app.code(), 303),
    ):
        page = await browser.second_page(username, prompt="login")
        assert (await browser.submit(page, code=code)).status_code == expected


async def test_nor_from_setting_up_another_app(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    app, _ = await set_up(provider, await front_end.tokens(username))
    owner = await tokens_by_two_factors(front_end, username, app)
    await guess_codes(provider, person_id, username)
    await set_up(provider, owner)


async def guess_codes(provider: Provider, person_id: UUID, username: str) -> None:
    """Guess at the app's codes by the password, from elsewhere, until the next guess waits for long."""
    thief = elsewhere(provider)
    page = await thief.second_page(username)
    for _ in range(5):
        assert (await thief.submit(page, code="000000")).status_code == 400
    async with provider.database.transaction() as session:
        theirs = GuessCount.subject == subject_of(ring(), "second_factor", f"{person_id}|any")
        for_long = update(GuessCount).where(theirs).values(blocked_until=utc_now() + timedelta(minutes=15))
        assert (await session.execute(for_long.returning(GuessCount.failures))).scalar_one() == 5


async def second_factor_for(front_end: FrontEnd, username: str) -> int:
    """Sign in by the password, and ask for the code of a second factor."""
    asked = await front_end.second_page(username, acr_values="2", prompt="login")
    return (await front_end.submit(asked, way="send")).status_code


async def test_one_address_spends_half_of_a_numbers_codes(provider: Provider, phones: Phones) -> None:
    number = await phones.give((await provider.open_person())[0])
    here = somewhere()
    statuses = []
    for _ in range(12):
        stranger = provider.front_end()
        stranger.http.headers.update(here)
        statuses.append(await asked_for(stranger, number))
        await pass_time(provider, 3600)
    assert statuses == [303] * 5 + [429] * 7
    assert await asked_for(elsewhere(provider), number) == 303


async def test_a_strangers_code_leaves_that_of_the_owner_right(provider: Provider, phones: Phones) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    owner = provider.front_end()
    sent = await owner.authorize()
    page = await owner.http.get(sent.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    entering = await owner.http.get((await owner.submit(page, phone=number)).headers["location"])
    code = await phones.code_to(number)
    await pass_time(provider, 60)
    assert await asked_for(provider.front_end(), number) == 303
    assert "code" in answer_of(await owner.submit(entering, code=code)).parameters


async def test_one_address_spends_half_of_the_codes_to_a_phone_on_a_file(provider: Provider) -> None:
    """Neither who knows a name and an identity number, nor who opened the account, keeps its owner out of it."""
    number = a_number()
    _, username, _, _ = await opened_for_a_member(provider)
    for ask_for in (partial(own_code_for, number), partial(first_code_for, username)):
        here, statuses = somewhere(), []
        for _ in range(12):
            stranger = provider.front_end()
            stranger.http.headers.update(here)
            statuses.append(await ask_for(stranger))
            await pass_time(provider, 3600)
        assert [status < 400 for status in statuses] == [True] * 5 + [False] * 7
        assert await ask_for(elsewhere(provider)) < 400


async def own_code_for(number: str, front_end: FrontEnd) -> int:
    """Ask for the code that opens one's own account."""
    return (await ask_for_own(front_end, NAME, number)).status_code


async def first_code_for(username: str, front_end: FrontEnd) -> int:
    """Sign in to an account that nobody has proven theirs, and ask for the code that does."""
    return (await front_end.submit(await first_page(front_end, username), way="send")).status_code
