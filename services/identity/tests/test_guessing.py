"""Guessing passwords is slowed down, by name and by address, and an owner is never shut out for it."""

import asyncio
import re
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, update
from starlette.requests import Request

import identity
from database import utc_now
from identity.challenges.tables import Challenge
from identity.housekeeping import delete_expired
from identity.sessions.tables import KnownBrowser
from identity.throttling.addresses import client_address_of, parse_networks
from identity.throttling.rules import LONGEST_WAIT, wait_after
from identity.throttling.tables import GuessCount, RateCount
from testkit.databases import Template, TestDatabases

from .front_end import PASSWORD, FrontEnd
from .provider import Provider, running

_HOSTS = count(1)


def somewhere() -> dict[str, str]:
    """A header as the gateway writes it, of an address nobody has used."""
    number = next(_HOSTS)
    return {"X-Forwarded-For": f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"}


async def guess(front_end: FrontEnd, username: str, password: str, **headers: str) -> httpx.Response:
    """Send the sign-in form as it is, without fetching the page for each guess."""
    if "form" not in front_end.http.cookies:
        await front_end.http.get("/sign-in")
    form = {"form_token": front_end.http.cookies["form"], "username": username, "password": password}
    return await front_end.http.post("/sign-in", data=form, headers={**somewhere(), **headers})


async def let_pass(provider: Provider, wait: timedelta) -> None:
    """Let time pass for everybody who waits."""
    async with provider.database.transaction() as session:
        earlier = {"blocked_until": GuessCount.blocked_until - wait, "expires_at": GuessCount.expires_at - wait}
        await session.execute(update(GuessCount).values(earlier))


def test_the_wait_doubles_after_five_failures_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures, 5).total_seconds() for failures in range(20)]
    assert waits[:5] == [0] * 5
    assert waits[5:9] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT.total_seconds() == 900
    assert wait_after(10**6, 5) == LONGEST_WAIT


async def test_an_attacker_with_a_thousand_guesses_does_not_shut_the_owner_out(provider: Provider) -> None:
    _, username = await provider.open_person()
    known = provider.front_end()
    assert (await guess(known, username, PASSWORD)).status_code == 303  # long ago, on the owner's own phone
    await known.http.get("/sign-in")
    attacker, owner = provider.front_end(), provider.front_end()
    await attacker.http.get("/sign-in")
    statuses = []
    for _ in range(20):
        answers = [guess(attacker, username, f"wrong {number}") for number in range(50)]
        statuses += [answer.status_code for answer in await asyncio.gather(*answers)]
    assert len(statuses) == 1_000
    assert statuses.count(400) < 120  # what was under way at once before the first wait, then one for each wait
    assert statuses.count(429) == 1_000 - statuses.count(400)

    assert (await guess(known, username, PASSWORD)).status_code == 303  # at once, in the middle of the attack
    waits = await guess(owner, username, PASSWORD)  # elsewhere: waits, and is told how long
    assert waits.status_code == 429
    seconds = int(waits.headers["retry-after"])
    assert 0 < seconds <= 900
    assert f"wait {seconds} seconds" in waits.text
    assert "/sign-in/code" in waits.text
    await let_pass(provider, timedelta(seconds=seconds))
    assert (await guess(owner, username, PASSWORD)).status_code == 303


async def test_failures_cost_nothing_at_first_and_waiting_adds_none(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    assert [(await guess(front_end, username, "wrong")).status_code for _ in range(5)] == [400] * 5
    first = await asyncio.gather(*(guess(front_end, username, "wrong") for _ in range(3)))
    assert {(each.status_code, each.headers["retry-after"]) for each in first} == {(429, "1")}
    await let_pass(provider, timedelta(seconds=1))
    assert (await guess(front_end, username, "wrong")).status_code == 400
    assert (await guess(front_end, username, PASSWORD)).headers["retry-after"] == "2"
    await let_pass(provider, timedelta(seconds=2))
    assert (await guess(front_end, username, PASSWORD)).status_code == 303
    assert (await guess(front_end, username, "wrong")).status_code == 400  # the owner was here: it begins anew


async def test_failures_are_forgotten_after_a_day(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    for _ in range(6):
        await guess(front_end, username, "wrong")
    await let_pass(provider, timedelta(days=1))
    assert [(await guess(front_end, username, "wrong")).status_code for _ in range(5)] == [400] * 5


async def test_a_name_nobody_has_is_slowed_down_in_the_same_way(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    known = [(r.status_code, r.text) for r in [await guess(front_end, username, "wrong") for _ in range(7)]]
    unknown = [(r.status_code, r.text) for r in [await guess(front_end, "nobody.has.it", "wrong") for _ in range(7)]]
    unusable = [(r.status_code, r.text) for r in [await guess(front_end, "no such name!", "x") for _ in range(7)]]
    assert known == unknown == unusable


async def test_a_known_browser_has_failures_of_its_own(provider: Provider) -> None:
    _, username = await provider.open_person()
    known, other = provider.front_end(), provider.front_end()
    await guess(known, username, PASSWORD)
    assert [(await guess(known, username, "wrong")).status_code for _ in range(6)] == [400] * 5 + [429]
    assert (await guess(other, username, PASSWORD)).status_code == 303


async def test_the_cookie_of_a_known_browser_is_for_one_account_changes_and_ends(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    _, neighbour = await provider.open_person()
    browser, attacker = provider.front_end(), provider.front_end()
    await guess(browser, username, PASSWORD)
    first = browser.http.cookies["browser"]
    await guess(browser, username, PASSWORD)
    assert browser.http.cookies["browser"] != first
    for _ in range(6):
        await guess(attacker, neighbour, "wrong")
        await guess(attacker, username, "wrong")
    assert (await guess(browser, neighbour, PASSWORD)).status_code == 429  # it is not the neighbour's
    async with provider.database.transaction() as session:
        mine = KnownBrowser.account_id == person_id
        kept = (await session.scalars(select(KnownBrowser.secret_hash).where(mine))).all()
        await session.execute(update(KnownBrowser).where(mine).values(expires_at=utc_now()))
    assert len(kept) == 1
    assert browser.http.cookies["browser"].encode() not in kept[0]
    assert (await guess(browser, username, PASSWORD)).status_code == 429


async def test_many_names_from_one_address_make_that_address_wait(
    databases: TestDatabases, database_template: Template
) -> None:
    async with databases.database(database_template) as url, running(url, failures_per_address=8) as village:
        _, username = await village.open_person()
        browser, here = village.front_end(), {"X-Forwarded-For": "2001:db8:0:5::1"}
        there = {"X-Forwarded-For": "2001:db8:0:6::1"}
        statuses = [(await guess(browser, f"villager.{number}", "wrong", **here)).status_code for number in range(9)]
        assert statuses == [400] * 8 + [429]
        assert (await guess(browser, username, PASSWORD, **{"X-Forwarded-For": "2001:db8:0:5:f::9"})).status_code == 429
        assert (await guess(browser, username, PASSWORD, **there)).status_code == 303
        async with village.database.read() as session:
            counted = await session.scalar(select(func.count()).select_from(KnownBrowser))
        assert counted == 1
        assert (await guess(browser, username, PASSWORD, **here)).status_code == 303  # the owner's own browser


async def test_whoever_has_a_whole_48_of_ipv6_has_the_guesses_of_ten_addresses(
    databases: TestDatabases, database_template: Template
) -> None:
    async with databases.database(database_template) as url, running(url, failures_per_address=5) as village:
        browser, statuses = village.front_end(), []
        for number in range(51):
            here = {"X-Forwarded-For": f"2001:db8:0:{number:x}::1"}
            statuses.append((await guess(browser, f"villager.{number}", "wrong", **here)).status_code)
        assert statuses == [400] * 50 + [429]
        elsewhere = {"X-Forwarded-For": "2001:db8:1::1"}
        assert (await guess(browser, "villager.51", "wrong", **elsewhere)).status_code == 400


def test_whatever_counts_an_address_counts_the_network_around_it() -> None:
    """By the names of what is counted: only `throttling/addresses.py` makes a subject of an address alone."""
    of_an_address = re.compile(r"subject_of\([^()]*\"([a-z_.]*\.)?address\"")
    sources = (Path(identity.__file__).parent).rglob("*.py")
    found = {path.name for path in sources if of_an_address.search(path.read_text("utf-8"))}
    assert found == set()


@pytest.mark.parametrize(
    ("peer", "forwarded", "client_address"),
    [
        ("127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.1, 203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["10.0.0.1", "203.0.113.7"], "203.0.113.7"),
        ("203.0.113.9", ["10.0.0.1"], "203.0.113.9"),  # who is no gateway of ours speaks for itself
        ("127.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["::ffff:203.0.113.7"], "203.0.113.7"),
        ("::ffff:127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["nonsense"], "unknown"),
    ],
)
def test_the_address_is_the_gateways_word_and_nobody_elses(
    peer: str, forwarded: list[str], client_address: str
) -> None:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    request = Request({"type": "http", "headers": headers, "client": (peer, 1)})
    assert client_address_of(request, parse_networks("127.0.0.0/8,::1/128")) == client_address


async def test_pages_tell_the_wait_in_both_languages(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    for _ in range(5):
        await guess(front_end, username, "wrong")
    told = await guess(front_end, username, "wrong", **{"Accept-Language": "zh"})
    assert re.search(r"请等 1 秒再试", told.text)


async def test_what_has_run_out_is_deleted(databases: TestDatabases, database_template: Template) -> None:
    async with databases.database(database_template) as url, running(url) as old:
        _, username = await old.open_person()
        browser = old.front_end()
        await guess(browser, username, "wrong")
        await guess(browser, username, PASSWORD)
        asked = await browser.http.get("/sign-in/code")
        await browser.submit(asked, phone="13800138000")
        tables = (Challenge, RateCount, GuessCount, KnownBrowser)
        for age, left in ((timedelta(hours=23), True), (timedelta(hours=2), False)):
            async with old.database.transaction() as session:
                for table in tables:
                    ends_at = utc_now() - age if left else table.expires_at - age
                    await session.execute(update(table).values(expires_at=ends_at))
            await delete_expired(old.database)
            async with old.database.read() as session:
                counts = [await session.scalar(select(func.count()).select_from(table)) for table in tables]
            assert [bool(counted) for counted in counts] == [left] * 4
