"""Whatever the system wrote down, while all of the journeys were taken, holds no secret and no number of anybody.

The journeys come first: this file stands behind them, and waits for none of them.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from standalone import services
from standalone.data_directory import DataDirectory
from testkit.databases import TestDatabases
from testkit.scanning import Scanner, tables
from tests.flows.conftest import DEMO_PASSWORD, System

pytestmark = pytest.mark.xdist_group("system")  # on one worker: they share one running system

_PIECE = 16 * 1024 * 1024


@pytest.fixture
def home(system: System) -> DataDirectory:
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    return DataDirectory(system.data)


@pytest.fixture
def scanner(system: System) -> Scanner:
    overheard = system.overheard
    assert len(overheard.numbers) > 1_000
    assert len(overheard.secrets) > 10
    return Scanner({*overheard.numbers, *overheard.secrets, DEMO_PASSWORD, system.administrator_password})


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
    leaks, seen = [], 0
    password, port = home.secret("postgres"), home.state["ports"]["postgres"]
    for service in services.NAMES:
        async for table, text in tables(f"postgresql://postgres:{password}@127.0.0.1:{port}/{service}"):
            seen += bool(text)
            leaks += [f"{service} {table}: {len(found)}" for found in [scanner.found_in(text)] if found]
    assert seen > 50
    assert leaks == []


async def test_no_event_holds_a_number_or_a_secret(home: DataDirectory, scanner: Scanner) -> None:
    files = [file for file in home.nats.rglob("*") if file.is_file() and file.stat().st_size]
    assert any(file.suffix == ".blk" and b"xiangqiao." in file.read_bytes() for file in files)
    leaks = [file.name for file in files for piece in pieces(file) if scanner.found_in(piece)]
    assert leaks == []


async def test_no_log_at_its_most_talkative_holds_a_number_or_a_secret(home: DataDirectory, scanner: Scanner) -> None:
    files = [file for file in home.logs.iterdir() if file.is_file()]
    assert {f"{name}.log" for name in services.NAMES} <= {file.name for file in files}
    running = [process["pid"] for process in home.state["services"].values()]
    assert all(b"XIANGQIAO_LOG_LEVEL=debug" in environment_of(pid) for pid in running)
    leaks = [file.name for file in files for piece in pieces(file) if scanner.found_in(piece)]
    assert leaks == []


async def test_no_trace_holds_a_number_or_a_secret(system: System, home: DataDirectory, scanner: Scanner) -> None:
    assert system.spans is not None
    exports = system.spans.exports
    assert {span.service for span in system.spans.spans} >= set(services.NAMES)
    assert [number for number, export in enumerate(exports) if scanner.found_in(export)] == []


async def test_the_scanner_finds_what_is_there(databases: TestDatabases) -> None:
    """A negative control: planted in a table and in text, in each form."""
    planted = ["522701197005170018", "14212345678", "483920", "a password of many words", "eyJ0b2tlbg.cGF5.c2ln"]
    scanner = Scanner(planted)
    for value in planted:
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
