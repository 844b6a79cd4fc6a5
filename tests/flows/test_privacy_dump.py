"""Whatever the system wrote down, while all of the journeys were taken, holds no secret and no number of anybody.

The journeys come first: this file stands behind them, and waits for none of them.
"""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from standalone import services
from standalone.data_directory import DataDirectory
from testkit.databases import TestDatabases
from testkit.scanning import Scanner, tables
from tests.flows.browser import Browser
from tests.flows.conftest import DEMO_PASSWORD, Outside, System
from tests.flows.helping import agreed
from tests.flows.overhearing import Overheard
from tests.flows.people import Person, open_account
from tests.flows.ways_in import (
    DEVICE_CODE,
    a_number,
    agree_to_client,
    code_to,
    let_device_in,
    link_wechat,
    made_passkey,
    registered,
)

KINDS = {
    *("access_token", "refresh_token", "id_token", "code", "code_verifier", "state", "client_secret"),
    *("device_code", "user_code", "ticket", "password", "secret", "recovery_codes", "form_token"),
    *("cookie session", "cookie form", "cookie browser", "id_number", "phone"),
}
"""What must have been said for the search to mean something: as fields are called, and cookies."""
_PIECE = 16 * 1024 * 1024


@pytest.fixture
def home(system: System) -> DataDirectory:
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    return DataDirectory(system.data)


@pytest_asyncio.fixture(scope="module")
async def overheard(system: System) -> Overheard:
    """Give all that was said since the system began, after somebody has used every way in there is."""
    if system.outside is None:
        pytest.skip("the system runs elsewhere")
    await use_every_way_in(system, system.outside)
    for phone, message in system.outside.phones.delivered:
        system.overheard.note_message(phone, message.parameters)
    assert system.overheard.kinds >= KINDS
    return system.overheard


async def use_every_way_in(system: System, outside: Outside) -> None:
    tag = secrets.token_hex(4)
    username, password = f"every.way.{tag}", f"每一种登录方式-{tag}"
    async with (
        system.person("administrator") as opener,
        system.person("security") as reviewer,
        system.person("secretary.demo") as helper,
        system.person("officer.demo") as witness,
    ):
        county = system.seeded.county_id
        await open_account(opener, system.url, username=username, password=password, organisation_id=county)
        await registered(opener, reviewer, token_endpoint_auth_method="client_secret_basic")
        front = await registered(opener, reviewer)
        device = {"application_type": "native", "redirect_uris": [], "grant_types": [DEVICE_CODE, "refresh_token"]}
        screen = await registered(opener, reviewer, **device)
        await agree_to_client(system.url, front["client_id"], username, password)
        await let_device_in(system.url, screen["client_id"], username, password)
        await link_wechat(system, username, password)
        async with Browser(system.url) as browser:
            assert (await browser.open("/sign-in/wechat/start")).url.path == "/sign-in"
        assist_id = await agreed(system, helper, witness)
        await helper.post(f"/v1/assisted-sessions/{assist_id}/ticket", status=200)
    async with Person(system.url, username, password) as owner:
        await owner.set_up_second_factor()
        owner.sign_in_anew()
        _, passkey = await made_passkey(owner, system.url)
        await owner.post("/v1/me/passkeys", passkey)
        phone = a_number()
        named = await owner.post("/v1/me/phone", {"phone": phone}, status=202)
        code = {"challenge_id": named["challenge_id"], "code": await code_to(outside.phones, phone)}
        await owner.post("/v1/me/phone/confirmation", code, status=200)


@pytest.fixture
def scanner(system: System, overheard: Overheard) -> Scanner:
    assert len(overheard.numbers) > 1_000
    heard = {*overheard.numbers, *overheard.secrets, DEMO_PASSWORD, system.administrator_password}
    # Schemathesis sends what the published document, which the gateway keeps, shows as an example: nobody's.
    document = httpx.get(f"{system.url}/openapi.json", trust_env=False, timeout=20).raise_for_status().content
    examples = Scanner(heard).found_in(document)
    assert len(examples) < 20
    return Scanner(value for value in heard if value.upper().encode() not in {each.upper() for each in examples})


def pieces(file: Path) -> Iterator[bytes]:
    """Give a file in pieces that overlap, so that nothing is cut in two."""
    with file.open("rb") as opened:
        tail = b""
        while piece := opened.read(_PIECE):
            yield tail + piece
            tail = piece[-8192:]


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_no_table_of_any_database_holds_a_number_or_a_secret(
    system: System, home: DataDirectory, scanner: Scanner
) -> None:
    """Check 22: every table of every service."""
    leaks, seen = [], 0
    password, port = home.secret("postgres"), home.state["ports"]["postgres"]
    for service in services.NAMES:
        async for table, text in tables(f"postgresql://postgres:{password}@127.0.0.1:{port}/{service}"):
            seen += bool(text)
            leaks += [f"{service} {table}: {len(found)}" for found in [scanner.found_in(text)] if found]
    assert seen > 50
    assert leaks == []


async def test_no_event_holds_a_number_or_a_secret(home: DataDirectory, scanner: Scanner) -> None:
    """Check 23: every event."""
    files = [file for file in home.nats.rglob("*") if file.is_file() and file.stat().st_size]
    assert any(file.suffix == ".blk" and b"xiangqiao." in file.read_bytes() for file in files)
    leaks = [file.name for file in files for piece in pieces(file) if scanner.found_in(piece)]
    assert leaks == []


async def test_no_log_at_its_most_talkative_holds_a_number_or_a_secret(home: DataDirectory, scanner: Scanner) -> None:
    """Check 23: every log, at DEBUG."""
    files = [file for file in home.logs.iterdir() if file.is_file()]
    assert {f"{name}.log" for name in services.NAMES} <= {file.name for file in files}
    running = [process["pid"] for process in home.state["services"].values()]
    assert all(b"XIANGQIAO_LOG_LEVEL=debug" in environment_of(pid) for pid in running)
    leaks = [file.name for file in files for piece in pieces(file) if scanner.found_in(piece)]
    assert leaks == []


async def test_no_trace_holds_a_number_or_a_secret(system: System, home: DataDirectory, scanner: Scanner) -> None:
    """Check 23: every trace."""
    assert system.spans is not None
    exports = system.spans.exports
    assert {span.service for span in system.spans.spans} >= set(services.NAMES)
    assert [number for number, export in enumerate(exports) if scanner.found_in(export)] == []


async def test_the_scanner_finds_what_is_there(databases: TestDatabases) -> None:
    """A negative control: planted in a table and in text, in each form."""
    planted = ["522701197005170018", "14212345678", "483920", "a password of many words", "eyJ0b2tlbg.cGF5.c2ln"]
    of_one_word = [
        "BCDF-GHJK",
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "oAbC-dEf_0123456789xyzXYZ",
        "Zm9ybSB0b2tlbiBvZiAzMg",
    ]
    scanner = Scanner([*planted, *of_one_word])
    for value in (*planted, *of_one_word):
        plain = value.encode()
        for form in (plain, plain.hex().encode(), base64.b64encode(plain), base64.urlsafe_b64encode(b" " + plain)):
            if len(form) >= 15 or form == plain:
                assert scanner.found_in(b'{"field": "' + form + b'"}\n') == {plain}
    assert scanner.found_in(b"2026-11-23T08:00:00.483920Z 114212345678 018f14212345678a") == set()
    async with databases.database() as url:
        connection = await asyncpg.connect(url)
        await connection.execute("create table notes (plain text, bytes bytea, object jsonb)")
        for row in ((planted[1], None, None), (None, planted[0].encode(), None), (None, None, '{"a": "483920"}')):
            await connection.execute("insert into notes values ($1, $2, $3)", *row)
        await connection.close()
        [text] = [text async for table, text in tables(url) if table == "public.notes"]
    assert scanner.found_in(text) == {value.encode() for value in planted[:3]}


def test_what_is_secret_is_overheard_wherever_it_is_said() -> None:
    """A negative control of what is looked for: in a body, a form, a redirect and a cookie."""
    heard = Overheard()
    asked = httpx.Request(
        "POST", "http://x/", data={"user_code": "BCDF-GHJK", "form_token": "of the form", "to": "them"}
    )
    said = httpx.Response(
        303,
        json={"phone": "14212345678", "codes": {"recovery_codes": ["aaaa-bbbb"]}, "name": "not secret"},
        headers=[
            ("location", "https://x/?code=the-code&state=the-state&other=not-secret"),
            ("set-cookie", "session=of-the-session; HttpOnly"),
            ("set-cookie", "challenge=018f0000-0000-7000-8000-000000000001; HttpOnly"),
        ],
    )
    heard.note(asked, said)
    heard.note_message("+8614287654321", ["483920", "5", "红旗村党支部"])
    assert heard.numbers == {"14212345678", "14287654321"}
    typed = {"BCDF-GHJK", "BCDFGHJK", "aaaa-bbbb", "aaaabbbb"}
    assert heard.secrets == {*typed, "of the form", "the-code", "the-state", "of-the-session", "483920"}
    assert heard.kinds == {"user_code", "form_token", "phone", "recovery_codes", "code", "state", "cookie session"}
