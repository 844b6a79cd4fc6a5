"""Replacements of a phone that come to nothing, and what the new number hears of it."""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, text, update

import orgtree
from china_time import day_of
from database import new_id, raw, utc_now
from identity.accounts.phones import put_on_file
from identity.phone_replacement.completion import apply_what_is_ready
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.commands import lapse_recovery_of

from .front_end import FrontEnd, Tokens
from .granting import grant, strongly_signed_in
from .phones import Phones
from .provider import Provider, ring
from .test_phone_replacement import DAY, Office, an_office, office_for
from .test_recovery import approve, ask, recoveries
from .test_strangers_codes import elsewhere, pass_time

ENDED = "phone_replacement_ended.zh"


@pytest_asyncio.fixture
async def office(provider: Provider, phones: Phones) -> Office:
    return await an_office(provider, phones)


async def give_role(office: Office, *, days_from_now: int = 0) -> None:
    """Make the person an officer above those of the office."""
    _, security = await strongly_signed_in(office.provider, ("security_administrator", orgtree.ROOT_ID))
    valid_from = day_of(utc_now()) + timedelta(days=days_from_now)
    of_root = {"role": "officer", "organisation_id": orgtree.ROOT_ID, "valid_from": valid_from}
    granted = await grant(office.provider, security, person_id=office.person_id, **of_root)
    assert granted.status_code == 201, granted.text


async def test_officers_of_where_a_person_was_decide_no_more(office: Office, provider: Provider) -> None:
    replacement_id = await office.confirmed()
    await office.belong_to(await provider.establish())
    late = await office.approve(replacement_id)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/phone_replacement_over")
    assert (await office.propose(office.other)).status_code == 404
    _, above = await strongly_signed_in(provider, ("officer", orgtree.ROOT_ID))
    await office.let_pass(timedelta())
    assert (await office.propose(above)).status_code == 201  # the former gives way
    assert [status for status, _ in await office.kept()] == ["lapsed", "proposed"]
    assert ENDED in await office.told(office.new)


async def test_who_moves_within_the_day_keeps_the_phone(office: Office, provider: Provider) -> None:
    assert (await office.approve(await office.confirmed())).status_code == 201
    await office.belong_to(await provider.establish())
    await office.let_pass(DAY)
    assert await office.on_file() == f"+86{office.old}"
    assert await office.kept() == [("lapsed", False)]


@pytest.mark.parametrize("days_from_now", [0, 30])
async def test_who_is_given_a_role_within_the_day_keeps_the_phone(office: Office, days_from_now: int) -> None:
    assert (await office.approve(await office.confirmed())).status_code == 201
    await give_role(office, days_from_now=days_from_now)
    await office.let_pass(DAY)
    assert await office.on_file() == f"+86{office.old}"
    assert await office.kept() == [("lapsed", False)]


async def test_a_role_that_begins_tomorrow_counts_today(office: Office) -> None:
    replacement_id = await office.confirmed()
    await give_role(office, days_from_now=1)
    for refused in (await office.approve(replacement_id), await office.propose()):
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role_beyond_scope")


async def test_one_that_fails_holds_up_none_behind_it(
    office: Office, provider: Provider, phones: Phones, caplog: pytest.LogCaptureFixture
) -> None:
    await office.approve(await office.confirmed())
    mine = PhoneReplacement.account_id == office.person_id
    async with provider.database.read() as session:
        place = await session.scalar(select(PhoneReplacement.organisation_id).where(mine))
    assert place is not None
    behind = await office_for(provider, phones, office.one, office.other, place)
    await behind.approve(await behind.confirmed())
    broken = {"sealed_phone": b"x" * 80, "ready_at": utc_now() - timedelta(hours=1)}
    async with provider.database.transaction() as session:
        await session.execute(update(PhoneReplacement).where(mine).values(broken))
    with caplog.at_level(logging.ERROR, logger="identity.phone_replacement"):
        await behind.let_pass(DAY)
    assert "phone_not_replaced" in caplog.messages
    assert await behind.on_file() == f"+86{behind.new}"
    assert await office.kept() == [("approved", True)]
    await office.let_pass(timedelta(days=9))  # out of time, it goes though nobody can read its number
    assert await office.kept() == [("lapsed", False)]


async def test_the_new_number_hears_that_it_is_on_file(office: Office) -> None:
    await office.approve(await office.confirmed())
    await office.let_pass(DAY)
    assert await office.told(office.new) == ["code_phone_replacement.en", "new_phone_on_file.zh"]


@pytest.mark.parametrize("how", ["objected", "out of time", "taken"])
async def test_the_new_number_hears_that_it_came_to_nothing(office: Office, provider: Provider, how: str) -> None:
    owner = await provider.front_end().tokens(office.username)
    replacement_id = await office.confirmed()
    assert (await office.approve(replacement_id)).status_code == 201
    if how == "objected":
        assert (await office.post(f"/{replacement_id}/objection", owner)).status_code == 201
    elif how == "taken":
        somebody, _ = await provider.open_person()
        async with provider.database.transaction() as session:
            phone = f"+86{office.new}"
            await put_on_file(session, ring(), account_id=somebody, phone=phone, new_id=new_id, now=utc_now())
    await office.let_pass(timedelta(days=9) if how == "out of time" else DAY)
    assert (await office.told(office.new))[-1] == ENDED
    assert office.new not in str(await office.recorded())


async def test_a_number_that_nobody_confirmed_hears_nothing(office: Office) -> None:
    assert (await office.propose()).status_code == 201
    await office.let_pass(timedelta(minutes=6))
    assert await office.kept() == [("lapsed", False)]
    assert ENDED not in await office.told(office.new)


async def test_an_objection_and_the_job_do_not_wait_for_each_other_in_a_circle(
    office: Office, provider: Provider
) -> None:
    owner = provider.front_end()
    await ask(owner, office.phones, office.old, lost_device="yes")
    await office.approve(await office.confirmed())
    await office.let_pass(timedelta())
    mine = PhoneReplacement.account_id == office.person_id
    async with provider.database.transaction() as session:  # as the job does
        await session.scalar(select(PhoneReplacement).where(mine).with_for_update())
        objecting = asyncio.create_task(ask(owner, office.phones, office.old, page="objection"))
        waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while not await (await raw(session)).fetchval(waits):
            await asyncio.sleep(0.05)
        await session.execute(text("set local lock_timeout = '3s'"))
        await lapse_recovery_of(session, office.person_id)
    assert "It is stopped" in (await objecting).text
    await apply_what_is_ready(ring(), provider.database)
    assert await office.kept() == [("objected", False)]


async def object_by(
    office: Office, code: str, *, number: str | None = None, front_end: FrontEnd | None = None
) -> httpx.Response:
    browser = front_end or office.provider.front_end()
    page = await browser.http.get("/sign-in/objection")
    return await browser.submit(page, phone=number or office.old, notice_code=code)


async def code_of_notice(office: Office) -> str:
    """Give the code of the last notice to the old phone."""
    [code] = [each for each in (await office.phones.messages_to(office.old))[-1].parameters if len(each) == 10]
    return code


async def test_the_code_of_a_notice_stops_a_replacement_though_strangers_used_up_all_codes(office: Office) -> None:
    replacement_id = await office.confirmed()
    code = await code_of_notice(office)
    await office.approve(replacement_id)
    assert await code_of_notice(office) == code  # both notices carry the same
    asked = []
    for _ in range(11):
        stranger = elsewhere(office.provider)
        asked.append((await object_by(office, "", front_end=stranger)).status_code)
        await pass_time(office.provider, 3600)
    assert asked == [303] * 10 + [429]
    for wrong in (f"{(int(code) + 1) % 10**10:010}", "x"):
        assert (await object_by(office, wrong)).status_code == 400
    assert (await object_by(office, code, number=office.new)).status_code == 400
    stopped = await object_by(office, f"{code[:5]} {code[5:]}")
    assert "It is stopped" in stopped.text
    assert await office.kept() == [("objected", False)]
    assert (await object_by(office, code)).status_code == 400  # nothing is under way any more


async def test_the_code_of_a_notice_stops_a_recovery(office: Office, front_end: FrontEnd) -> None:
    await ask(front_end, office.phones, office.old, lost_device="yes")
    assert "It is stopped" in (await object_by(office, await code_of_notice(office))).text
    [asked] = await recoveries(office.provider, office.one)
    assert asked["status"] == "objected"


async def test_codes_of_notices_are_tried_thirty_times_an_hour_from_one_address(office: Office) -> None:
    await office.confirmed()
    code = await code_of_notice(office)
    browser = office.provider.front_end()
    for _ in range(30):
        assert (await object_by(office, "1234567890", front_end=browser)).status_code == 400
    over = await object_by(office, code, front_end=browser)
    assert (over.status_code, "Retry-After" in over.headers) == (429, True)
    assert await office.kept() == [("confirmed", True)]


async def officer_of(provider: Provider, place: UUID) -> Tokens:
    _, officer = await strongly_signed_in(provider, ("officer", place))
    return officer


async def test_a_recovery_is_approved_where_the_person_belongs_now(office: Office, front_end: FrontEnd) -> None:
    provider, number = office.provider, office.old
    await ask(front_end, office.phones, number, lost_device="yes")
    [asked] = await recoveries(provider, office.one)
    there = await provider.establish()
    await office.belong_to(there)
    late = await approve(provider, str(asked["recovery_id"]), office.one)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/recovery_over")
    await office.let_pass(timedelta())
    await ask(front_end, office.phones, number, lost_device="yes")
    officer = await officer_of(provider, there)
    [again] = await recoveries(provider, officer)
    assert again["recovery_id"] != asked["recovery_id"]
    assert (await approve(provider, str(again["recovery_id"]), officer)).status_code == 201


async def test_officers_below_do_not_recover_who_holds_a_role_above(
    office: Office, front_end: FrontEnd, phones: Phones
) -> None:
    await ask(front_end, phones, office.old, lost_device="yes")
    [asked] = await recoveries(office.provider, office.one)
    recovery_id = str(asked["recovery_id"])
    await give_role(office, days_from_now=1)
    refused = await approve(office.provider, recovery_id, office.one)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/role_beyond_scope")
