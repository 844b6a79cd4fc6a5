"""Check 33, through the one door: an account opens what is its person's for that person alone."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from standalone.data_directory import DataDirectory
from standalone.seed import ADMINISTRATOR
from standalone.seed.people import check_character
from standalone.seed.sign_in import SignedIn, SignInRefused
from testkit.sms import SmsGateway
from tests.flows.browser import Browser
from tests.flows.conftest import System
from tests.flows.people import Person, first_of, within
from tests.flows.ways_in import SMS_SECONDS, a_number, code_to

PASSWORD = "nine-swallows-under-the-eaves"
OPENERS = "a-password-of-the-opener"
INDEXED_SECONDS = 8.0
"""A file is found by name and number some seconds after it was written."""

SENT_SECONDS = 5.0
"""Longer than a message takes from the page to the phone."""


def id_number() -> str:
    """Give a valid identity number that the demonstration does not use."""
    born = f"{1930 + secrets.randbelow(60)}0{1 + secrets.randbelow(9)}1{secrets.randbelow(10)}"
    digits = f"110105{born}{secrets.randbelow(1000):03}"
    return digits + check_character(digits)


def phones_of(system: System) -> SmsGateway:
    if system.outside is None:
        pytest.skip("the phones of a system elsewhere are not to be read here")
    return system.outside.phones


async def enrolled(system: System, *, ago: timedelta = timedelta(days=7)) -> dict[str, Any]:
    """Have a registrar enrol somebody new, that long ago, and give what is on the file."""
    async with system.person("registrar.demo") as registrar:
        file = {
            "organisation_id": str(system.seeded.branch_id),
            "stage": "full",
            "name": "阿依古丽·买买提",
            "id_number": id_number(),
            "phone": a_number(),
            "away": False,
            "smartphone": True,
        }
        person_id = (await registrar.post("/v1/members", file))["person_id"]
    await let_pass(system, person_id, ago)
    return {**file, "person_id": person_id}


async def let_pass(system: System, person_id: str, time: timedelta) -> None:
    """Move back from when the phone on a file proves anything, in the system's own database."""
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    home = DataDirectory(system.data)
    password, port = home.secret("postgres"), home.state["ports"]["postgres"]
    connection = await asyncpg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/members")
    try:
        moved = "update member_version set phone_proves_from = phone_proves_from - $2::interval where person_id = $1"
        await connection.execute(moved, person_id, time)
    finally:
        await connection.close()


async def test_who_opened_the_account_reads_nothing_of_the_member(system: System) -> None:
    phones, member = phones_of(system), await enrolled(system)
    username = f"opened.{secrets.token_hex(4)}"
    body = {"username": username, "password": first_of(PASSWORD), "organisation_id": member["organisation_id"]}
    async with system.person(ADMINISTRATOR) as administrator:
        await administrator.post("/v1/accounts", {**body, "person_id": member["person_id"]})

    async def heard() -> bool:
        return [m.template for m in phones.messages_to(f"+86{member['phone']}")] == ["account_opened.zh"]

    await within(SMS_SECONDS, heard)
    opener = SignedIn(system.url, username, OPENERS, first_password=first_of(PASSWORD))
    with pytest.raises(SignInRefused, match="prove first"):
        await opener.headers()
    async with Browser(system.url) as browser:
        page = await browser.sign_in("/sign-in/security", username, first_of(PASSWORD))
        assert page.url.path == "/sign-in/phone-on-file"
        assert member["phone"][:3] not in page.text
        for door in ("/sign-in/security", "/sign-in/sessions", "/oauth2/device"):
            assert (await browser.open(door)).url.path == "/sign-in"
    async with Browser(system.url) as browser:
        page = await browser.sign_in("/sign-in/security", username, first_of(PASSWORD))
        sent = await browser.send(page)
        choosing = await browser.send(sent, code=await code_to(phones, member["phone"]))
        assert choosing.url.path == "/sign-in/new-password"
        done = await browser.send(choosing, password=PASSWORD)
        assert (done.status_code, done.url.path) == (200, "/sign-in/security"), done.text
    async with Person(system.url, username, PASSWORD) as herself:
        own = await herself.get("/v1/members/me")
        assert own["person_id"] == member["person_id"]


async def test_a_member_opens_the_own_account_by_the_phone_on_the_file(system: System) -> None:
    phones, member = phones_of(system), await enrolled(system)
    await asyncio.sleep(INDEXED_SECONDS)
    username = f"own.{secrets.token_hex(4)}"
    async with Browser(system.url) as browser, Browser(system.url) as stranger:
        asked = await browser.send(
            await browser.open("/sign-in/own-account"), name=member["name"], id_number=f"'{member['id_number']}"
        )
        nobody = await stranger.send(
            await stranger.open("/sign-in/own-account"), name=member["name"], id_number=id_number()
        )
        assert (asked.status_code, asked.url, len(asked.content)) == (200, nobody.url, len(nobody.content))
        form = await browser.send(asked, code=await code_to(phones, member["phone"]))
        done = await browser.send(form, username=username, password=PASSWORD)
        assert (done.status_code, done.url.path) == (200, "/sign-in"), done.text
        assert "signed in" in done.text
    async with Person(system.url, username, PASSWORD) as herself:
        assert (await herself.get("/v1/members/me"))["person_id"] == member["person_id"]


async def test_a_registrar_does_not_enter_by_a_number_of_their_own(system: System) -> None:
    phones, member, theirs = phones_of(system), await enrolled(system), a_number()
    async with system.person("registrar.demo") as registrar:
        change = {"base_version": 1, "phone": theirs}
        await registrar.post(f"/v1/members/{member['person_id']}/revisions", change, status=200)

    async def heard() -> bool:
        return [m.template for m in phones.messages_to(f"+86{member['phone']}")] == ["phone_replaced.zh"]

    await within(SMS_SECONDS, heard)
    await asyncio.sleep(INDEXED_SECONDS)

    async with Browser(system.url) as browser:
        page = await browser.open("/sign-in/own-account")
        asked = await browser.send(page, name=member["name"], id_number=member["id_number"])
        assert asked.status_code == 200
    await asyncio.sleep(SENT_SECONDS)
    assert list(phones.messages_to(f"+86{theirs}")) == []
