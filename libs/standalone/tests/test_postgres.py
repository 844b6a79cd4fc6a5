"""Shows that the embedded PostgreSQL starts wherever it is put, survives crashes, and says clearly what it lacks."""

import asyncio
import os
import pwd
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from standalone import postgres, processes
from standalone.postgres import FOR_TESTS, PostgresServer
from standalone.refusals import MadeByNewerVersion, NotWritable, PortTaken

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def make(directory: Path, settings: Mapping[str, str] = FOR_TESTS) -> PostgresServer:
    return PostgresServer(
        directory / "postgres",
        port=processes.free_port(),
        password="p:@ss/word",
        log=directory / "postgres.log",
        settings=settings,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    made = make(tmp_path)
    made.start()
    yield made
    made.stop()


async def value(server: PostgresServer, query: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_data_survive_a_stop_and_a_crash(tmp_path: Path) -> None:
    server = make(tmp_path, settings={})
    server.start()
    try:
        await value(server, "create table villages as select 1 as n")
        server.stop()
        server.start()
        await value(server, "insert into villages values (2)")
        server.kill()
        server.start()
        assert await value(server, "select sum(n) from villages") == 3
    finally:
        server.stop()


async def test_nobody_enters_without_the_password(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url(password="guess"))


async def test_what_people_entered_is_not_in_the_log(server: PostgresServer) -> None:
    await value(server, "create table people (phone text primary key)")
    await value(server, "insert into people values ('13900001111')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await value(server, "insert into people values ('13900001111')")
    assert "13900001111" not in server.log.read_text()


async def test_a_process_id_that_is_somebody_elses_by_now_does_not_hinder_the_start(server: PostgresServer) -> None:
    server.stop()
    (server.directory / "postmaster.pid").write_text(f"{os.getpid()}\n{server.directory}\n")
    server.start()
    assert await value(server, "select 1") == 1


async def test_a_server_left_over_on_the_same_data_is_stopped_first(server: PostgresServer, tmp_path: Path) -> None:
    second = make(tmp_path)
    second.start()
    assert not server.is_running
    assert await value(second, "select 1") == 1
    second.stop()


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    made = make(tmp_path)
    with (
        socket.create_server(("127.0.0.1", made.port)),
        pytest.raises(PortTaken, match=f"port {made.port} .* XIANGQIAO_POSTGRES_PORT"),
    ):
        made.start()


def test_data_of_another_postgres_version_are_refused(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.directory.mkdir()
    (made.directory / "PG_VERSION").write_text("19\n")
    with pytest.raises(MadeByNewerVersion, match="made by PostgreSQL 19"):
        made.start()


@pytest.mark.skipif(sys.platform != "linux", reason="/sys is Linux's")
def test_a_directory_that_cannot_be_written_is_one_clear_line() -> None:
    with pytest.raises(NotWritable, match="no permission to write /sys"):
        make(Path("/sys/xiangqiao")).start()


@as_root
async def test_root_can_keep_data_where_nobody_else_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    made = make(closed)
    made.start()
    try:
        assert await value(made, "select count(*) > 0 from pg_class") is True
        assert made.directory.stat().st_uid == pwd.getpwnam("nobody").pw_uid
    finally:
        made.stop()


@as_root
def test_root_can_run_it_from_an_environment_nobody_else_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    place.chmod(0o755)
    monkeypatch.setattr(postgres, "_OPEN_PLACES", (Path("/proc/nowhere"), place))
    monkeypatch.setattr(postgres, "_is_open_to_all", lambda _: False)
    made = make(tmp_path)
    try:
        made.start()
        assert asyncio.run(value(made, "select 1")) == 1
        assert [entry.name.startswith("postgresql-") for entry in place.iterdir()] == [True]
    finally:
        made.stop()
        shutil.rmtree(place)
