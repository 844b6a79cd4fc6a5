"""Shows the life of a system: it starts, keeps itself running, stops, and leaves nothing behind, however it ends."""

import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from standalone import inspection, processes

from .conftest import Runs


def all_gone(pids: Mapping[str, int], seconds: float = 10) -> bool:
    return processes.wait_until(lambda: not any(processes.is_alive(pid) for pid in pids.values()), seconds)


def test_ctrl_c_stops_everything(runs: Runs) -> None:
    run = runs.start()
    ready_port = run.home.state["ports"]["operations"]
    assert httpx.get(f"http://127.0.0.1:{ready_port}/health/ready", trust_env=False).status_code == 200
    shown = {row.name: row for row in inspection.inspect(run.home)}
    assert (shown["gateway"].port, shown["gateway"].ready) == (run.port, True)
    pids = run.pids()
    assert set(pids) == {"identity", "gateway", "postgres", "nats"}
    assert all(processes.is_alive(pid) for pid in pids.values())
    run.signal(signal.SIGINT)
    status, output = run.end()
    assert status == 0
    assert output.endswith("stopping\nstopped\n")
    assert all_gone(pids, 0)


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_works(runs: Runs) -> None:
    run = runs.start()
    pids = run.pids()
    run.process.kill()
    again = runs.start()
    assert all_gone(pids, 5)
    again.signal(signal.SIGTERM)
    assert again.end()[0] == 0


def test_a_service_that_dies_is_started_again(runs: Runs) -> None:
    run = runs.start()
    first = run.pids()["identity"]
    os.kill(first, signal.SIGKILL)
    line = run.read_until("identity")
    assert "was ended by SIGKILL; starting it again in 1 s" in line
    assert processes.wait_until(lambda: run.home.state["services"]["identity"]["pid"] != first, 5)
    assert run.home.state["services"]["identity"]["failures"] == 1
    run.signal(signal.SIGINT)
    run.end()


def test_a_service_is_started_again_once_there_is_room_for_it(runs: Runs) -> None:
    run = runs.start()
    first = run.pids()["identity"]
    _, most = before = resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, (3, most))  # those in use stay open
    os.kill(first, signal.SIGKILL)
    run.read_until("identity was not started: Too many open files; starting it again in 4 s")
    resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, before)
    assert processes.wait_until(lambda: run.home.state["services"]["identity"]["pid"] != first, 10)
    run.signal(signal.SIGINT)
    assert run.end()[0] == 0


def test_postgres_and_nats_are_started_again_on_their_ports(runs: Runs) -> None:
    run = runs.start()
    before = run.pids()
    for name, shown in (("postgres", "PostgreSQL"), ("nats", "NATS")):
        os.kill(before[name], signal.SIGKILL)
        run.read_until(f"{shown} was ended by SIGKILL; starting it again in 1 s")
    ports = run.home.state["ports"]
    assert processes.wait_until(lambda: not processes.is_port_free(ports["nats"]), 10)
    assert not processes.is_port_free(ports["postgres"])
    run.signal(signal.SIGINT)
    run.end()


@pytest.mark.parametrize(("name", "shown"), [("postgres", "PostgreSQL"), ("nats", "NATS")])
def test_a_server_that_dies_again_while_it_recovers_is_started_again(runs: Runs, name: str, shown: str) -> None:
    run = runs.start()
    first = run.pids()[name]
    os.kill(first, signal.SIGKILL)
    run.read_until(f"{shown} was ended by SIGKILL; starting it again in 1 s")
    assert processes.wait_until(lambda: run.started(name, since=first), 10, every_seconds=0.001)
    second = run.pids()[name]
    os.kill(second, signal.SIGKILL)
    run.read_until(f"{shown} was ended by SIGKILL; starting it again in 2 s")
    assert processes.wait_until(lambda: run.started(name, since=second), 10)
    port = run.home.state["ports"][name]
    assert processes.wait_until(lambda: not processes.is_port_free(port), 10)
    run.signal(signal.SIGINT)
    assert run.end()[0] == 0


def make_of_another_version(file: Path) -> None:
    file.write_text("19\n")


def make_unreadable(file: Path) -> None:
    if os.geteuid() == 0:  # PostgreSQL runs as another user
        os.chown(file, 0, 0)
    file.chmod(0)


@pytest.mark.parametrize(
    ("file", "spoil", "reason"),
    [
        ("PG_VERSION", make_of_another_version, "was made by PostgreSQL 19"),
        ("global/pg_control", make_unreadable, "Permission denied"),
    ],
)
def test_a_server_whose_reason_cannot_pass_ends_the_system_with_that_reason(
    runs: Runs, file: str, spoil: Callable[[Path], None], reason: str
) -> None:
    run = runs.start()
    spoiled = run.home.postgres / file
    whole, before = spoiled.stat(), spoiled.read_bytes()
    os.kill(run.pids()["postgres"], signal.SIGKILL)
    spoil(spoiled)
    try:
        status, output = run.end()
    finally:
        os.chown(spoiled, whole.st_uid, whole.st_gid)
        spoiled.chmod(whole.st_mode)
        spoiled.write_bytes(before)
    assert status == 1
    assert reason in output.splitlines()[-1]
    assert output.splitlines()[-1].startswith("refused: ")


def test_a_second_run_on_the_same_data_is_refused(runs: Runs) -> None:
    run = runs.start()
    status, output = runs.start(until="").end()
    assert status == 1
    assert "is in use by the process" in output
    assert str(run.process.pid) in output
    assert "Traceback" not in output
    run.signal(signal.SIGINT)
    run.end()


def test_a_taken_gateway_port_is_one_clear_line(runs: Runs) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = runs.start(port=port, until="").end()
    assert status == 1
    assert f"port {port} for the gateway is taken" in output
    assert "XIANGQIAO_GATEWAY_PORT" in output
    assert "Traceback" not in output


def test_data_of_a_newer_version_are_refused(runs: Runs) -> None:
    runs.path.mkdir(exist_ok=True)
    version = runs.path / "VERSION"
    before = version.read_text() if version.exists() else None
    version.write_text("7\n")
    try:
        status, output = runs.start(until="").end()
    finally:
        version.unlink() if before is None else version.write_text(before)
    assert status == 1
    assert "made by a newer version" in output
    assert "Traceback" not in output


def test_a_service_that_cannot_start_says_why_and_nothing_is_left(runs: Runs) -> None:
    run = runs.start()
    run.signal(signal.SIGINT)
    run.end()
    runs.flag("identity.broken").touch()
    failed = runs.start(until="")
    status, output = failed.end()
    assert status == 1
    assert "identity did not start: the roof fell in (log: " in output
    assert "Traceback" not in output
    assert not (runs.path / "postgres" / "postmaster.pid").exists()


def test_a_second_signal_hurries_a_service_that_will_not_stop(runs: Runs) -> None:
    (runs.path / "logs").mkdir(parents=True, exist_ok=True)
    (runs.path / "VERSION").write_text("1\n")
    runs.flag("identity.stubborn").touch()
    run = runs.start()
    pids = run.pids()
    run.signal(signal.SIGINT)
    run.read_until("stopping")
    began = time.monotonic()
    run.signal(signal.SIGINT)
    run.end()
    assert time.monotonic() - began < 5
    assert all_gone(pids, 0)


def test_a_start_can_be_broken_off(runs: Runs) -> None:
    run = runs.start(until="NATS ready")
    run.signal(signal.SIGINT)
    status, output = run.end()
    assert status == 0
    assert output.endswith("stopped\n")


def test_databases_are_migrated_again_only_when_the_code_changed(runs: Runs) -> None:
    done = runs.path / "logs" / "migrations"

    def run_once() -> int:
        before = len(done.read_text().splitlines()) if done.exists() else 0
        run = runs.start()
        run.signal(signal.SIGINT)
        run.end()
        return len(done.read_text().splitlines()) - before

    for service in ("identity", "gateway"):
        (runs.packages / service / "migrations").mkdir(exist_ok=True)
    revision = runs.packages / "identity" / "migrations" / "0001.py"
    revision.write_text("first = 1\n")
    run_once()
    assert run_once() == 0
    revision.write_text("first = 2\n")
    assert run_once() == 1
