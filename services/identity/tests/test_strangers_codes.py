"""Strangers who ask for codes to somebody's phone use up nobody's codes but strangers'."""

from datetime import timedelta

from sqlalchemy import update

import orgtree
from database import utc_now
from identity.throttling.tables import RateCount

from .front_end import FrontEnd, answer_of
from .phones import Phones
from .provider import Provider
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
        assert await asked_for(provider.front_end(), number) == 303
        await pass_time(provider, 3600)
    assert await asked_for(provider.front_end(), number) == 429
    await phones.messages_to(number)


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
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    browser = provider.front_end()
    await browser.tokens(username)
    await by_strangers(provider, phones, number)
    sent = await browser.authorize()
    page = await browser.http.get(sent.headers["location"].replace("/sign-in?", "/sign-in/code?"))
    entering = await browser.http.get((await browser.submit(page, phone=number)).headers["location"])
    assert "code" in answer_of(await browser.submit(entering, code=await phones.code_to(number))).parameters


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
