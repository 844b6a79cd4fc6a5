"""Signing in by a code to the phone: who gets one, how long it is right, and what nobody learns from it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, Pool, event, func, select, update

from database import utc_now
from identity.challenges.rules import CODE_LIFETIME
from identity.challenges.tables import Challenge
from identity.messages.tables import MessageToSend
from identity.throttling.tables import RateCount
from testkit.databases import Template, TestDatabases

from .front_end import FrontEnd, answer_of, tokens_of
from .phones import Phones, new_number
from .provider import Provider, running
from .test_guessing import somewhere


async def page_for_code(front_end: FrontEnd, number: str, **changed: str | None) -> httpx.Response:
    """Go from the client's request to the page that asks for the code."""
    sent = await front_end.authorize(**changed)
    first = await front_end.http.get(sent.headers["location"])
    link = re.search(r'href="(/sign-in/code[^"]*)"', first.text)
    assert link is not None, first.text
    asked = await front_end.http.get(link[1].replace("&amp;", "&"))
    answered = await front_end.submit(asked, phone=number)
    assert answered.status_code == 303, answered.text
    return await front_end.http.get(answered.headers["location"])


async def test_a_code_to_the_phone_signs_its_owner_in_for_the_client(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, f"+86 {number[:3]}-{number[3:7]} {number[7:]}", state="kept")
    field = re.search(r'<input id="code"[^>]*>', page.text)
    assert field is not None
    assert 'autocomplete="one-time-code"' in field[0]
    assert 'inputmode="numeric"' in field[0]
    assert "<script" not in page.text
    assert "form-action 'self' http://127.0.0.1:8765" in page.headers["content-security-policy"]
    answer = answer_of(await front_end.submit(page, code=await phones.code_to(number)))
    assert answer.parameters["state"] == "kept"
    tokens = tokens_of(await front_end.redeem(answer.parameters["code"]))
    me = await provider.http.get("/v1/me", headers=tokens.headers)
    assert me.json()["person_id"] == str(person_id)
    async with provider.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(MessageToSend)) == 0  # gone once delivered


async def test_the_sixth_try_is_locked_even_if_right(provider: Provider, front_end: FrontEnd, phones: Phones) -> None:
    """Check 16, first half."""
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, number)
    code = await phones.code_to(number)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    told = [(await front_end.submit(page, code=wrong)).text for _ in range(5)]
    assert ["not right" in each for each in told] == [True] * 4 + [False]
    locked = await front_end.submit(page, code=code)
    assert locked.status_code == 400
    assert "not valid any more" in locked.text


async def test_the_fifth_try_may_be_right_and_then_the_code_is_spent(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, number)
    code = await phones.code_to(number)
    for _ in range(4):
        assert (await front_end.submit(page, code="999 999" if code != "999999" else "1")).status_code == 400
    assert (await front_end.submit(page, code=f" {code} ")).status_code == 303
    assert (await front_end.submit(page, code=code)).status_code == 400


async def test_a_code_expires_after_five_minutes(provider: Provider, front_end: FrontEnd, phones: Phones) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, number)
    code = await phones.code_to(number)
    assert timedelta(minutes=5) == CODE_LIFETIME
    async with provider.database.transaction() as session:
        mine = Challenge.account_id == person_id
        await session.execute(update(Challenge).where(mine).values(expires_at=utc_now()))
    assert "not valid any more" in (await front_end.submit(page, code=code)).text


async def test_a_new_code_ends_the_former_one_of_its_browser_and_another_browser_cannot_use_it(
    provider: Provider, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    first, second = provider.front_end(), provider.front_end()
    page = await page_for_code(first, number)
    former = await phones.code_to(number)
    answered = first.http.cookies["challenge"]
    await forget_limits(provider)
    await page_for_code(first, number)
    await phones.code_to(number)
    first.http.cookies.set("challenge", answered, domain="127.0.0.1")
    await forget_limits(provider)
    other = await page_for_code(second, number)
    latter = await phones.code_to(number)
    assert "not valid any more" in (await first.submit(page, code=former)).text
    first.http.cookies.set("challenge", second.http.cookies["challenge"], domain="127.0.0.1")
    assert (await first.submit(page, code=latter)).status_code == 400  # bound to the second browser
    assert (await second.submit(other, code=latter)).status_code == 303


async def forget_limits(provider: Provider) -> None:
    """Let an hour pass for what was asked how often."""
    async with provider.database.transaction() as session:
        past = utc_now() - timedelta(seconds=1)
        await session.execute(update(RateCount).values(expires_at=past))


@pytest.mark.parametrize("known", [True, False])
async def test_a_phone_gets_one_code_a_minute_five_an_hour_and_ten_a_day(
    provider: Provider, front_end: FrontEnd, phones: Phones, known: bool
) -> None:
    number = await phones.give((await provider.open_person())[0]) if known else new_number()
    asked = await front_end.http.get("/sign-in/code")

    async def ask() -> httpx.Response:
        front_end.http.headers.update(somewhere())
        return await front_end.submit(asked, phone=number)

    async def pass_time(seconds: int) -> None:
        async with provider.database.transaction() as session:
            short = RateCount.window_seconds <= seconds
            await session.execute(update(RateCount).where(short).values(expires_at=utc_now()))

    statuses = []
    for _ in range(5):
        statuses += [(await ask()).status_code, (await ask()).status_code]
        await pass_time(60)
    assert statuses == [303, 429] * 5
    hourly = await ask()
    assert hourly.status_code == 429
    assert 3000 < int(hourly.headers["retry-after"]) <= 3600
    assert f"wait {hourly.headers['retry-after']} seconds" in hourly.text
    for _ in range(5):
        await pass_time(3600)
        assert (await ask()).status_code == 303
    await pass_time(3600)
    daily = await ask()
    assert daily.status_code == 429
    assert int(daily.headers["retry-after"]) > 80_000


_ASKED_HERE: ContextVar[bool] = ContextVar("asked here", default=False)


@contextmanager
def statements_of_all() -> Iterator[list[str]]:
    """Give the statements that the block has every database sent, on SQLAlchemy's way and on the driver's.

    What runs beside it, as the looks at readiness, is left out.
    """
    statements: list[str] = []

    def note(record: Any) -> None:
        if _ASKED_HERE.get():
            statements.append(record.query)

    def note_prepared(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if _ASKED_HERE.get():
            statements.append(statement)

    def listen(adapter: Any, *_: object) -> None:
        adapter.driver_connection.add_query_logger(note)

    event.listen(Pool, "checkout", listen)
    event.listen(Engine, "before_cursor_execute", note_prepared)
    token = _ASKED_HERE.set(True)
    try:
        yield statements
    finally:
        _ASKED_HERE.reset(token)
        event.remove(Pool, "checkout", listen)
        event.remove(Engine, "before_cursor_execute", note_prepared)


async def test_an_unknown_phone_gets_the_same_answer_by_the_same_work_and_no_message(
    provider: Provider, phones: Phones
) -> None:
    """Check 16, second half. How long it takes is what the statements take, the same ones: no clock is read."""
    known, unknown = await phones.give((await provider.open_person())[0]), new_number()
    front_end = provider.front_end()
    asked = await front_end.http.get("/sign-in/code")
    work, bodies = [], set()
    with statements_of_all() as statements:
        for number in (new_number(), known, unknown):  # the first has the driver look up the types it meets
            statements.clear()
            answer = await front_end.submit(asked, phone=number)
            page = await front_end.http.get(answer.headers["location"])
            wrong = await front_end.submit(page, code="abcdef")
            bodies.add((answer.status_code, answer.headers["location"], page.text, wrong.status_code, wrong.text))
            work.append([each for each in statements if each.split()[0] not in {"BEGIN", "BEGIN;", "COMMIT;"}])
    assert len(bodies) == 1
    assert len(work[1]) > 5
    assert work[1] == work[2]
    assert (len(await phones.messages_to(unknown)), len(await phones.messages_to(known))) == (0, 1)


async def test_a_code_is_kept_as_a_keyed_hash_and_the_phone_sealed(
    provider: Provider, front_end: FrontEnd, phones: Phones
) -> None:
    person_id, _ = await provider.open_person()
    number = await phones.give(person_id)
    await page_for_code(front_end, number)
    async with provider.database.read() as session:
        challenge = await session.scalar(select(Challenge).where(Challenge.account_id == person_id))
        message = await session.scalar(select(MessageToSend).order_by(MessageToSend.queued_at.desc()))
    assert challenge is not None
    assert message is not None
    code = await phones.code_to(number)
    for kept in (challenge.code_hash, challenge.phone_index, challenge.sealed_phone, message.sealed):
        assert code.encode() not in kept
        assert number.encode() not in kept


async def test_what_is_no_mainland_mobile_number_is_refused_on_the_page(front_end: FrontEnd) -> None:
    asked = await front_end.http.get("/sign-in/code")
    for typed in ("", "12345678901", "1391234567", "+1 202 555 0100", "a" * 60, "139123456789"):
        refused = await front_end.submit(asked, phone=typed)
        assert refused.status_code == 400
        assert "mobile number of 11 digits" in refused.text
    assert (await front_end.submit(asked, phone="13912345678", form_token="another")).status_code == 403


async def test_an_address_gets_no_more_codes_than_it_may(provider: Provider, phones: Phones) -> None:
    front_end = provider.front_end()
    asked = await front_end.http.get("/sign-in/code")
    front_end.http.headers["X-Forwarded-For"] = "2001:db8:1:2::77"
    first = await front_end.submit(asked, phone=new_number())
    async with provider.database.transaction() as session:
        newest = select(RateCount.subject).where(RateCount.window_seconds == 3600, RateCount.counted == 1)
        await session.execute(update(RateCount).where(RateCount.subject.in_(newest)).values(counted=100_000))
    front_end.http.headers["X-Forwarded-For"] = "2001:db8:1:2:ffff::1"  # the same /64
    refused = await front_end.submit(asked, phone=new_number())
    front_end.http.headers["X-Forwarded-For"] = "2001:db8:1:3::77"
    neighbour = await front_end.submit(asked, phone=new_number())
    assert [first.status_code, refused.status_code, neighbour.status_code] == [303, 429, 303]


async def test_whoever_has_a_whole_48_of_ipv6_gets_as_many_codes_as_ten_addresses(
    databases: TestDatabases, database_template: Template
) -> None:
    async with databases.database(database_template) as url, running(url, codes_per_address=2) as village:
        front_end, statuses = village.front_end(), []
        asked = await front_end.http.get("/sign-in/code")
        for network in range(21):
            front_end.http.headers["X-Forwarded-For"] = f"2001:db8:1:{network:x}::7"
            statuses.append((await front_end.submit(asked, phone=new_number())).status_code)
        assert statuses == [303] * 20 + [429]
        front_end.http.headers["X-Forwarded-For"] = "2001:db8:2::7"
        assert (await front_end.submit(asked, phone=new_number())).status_code == 303
