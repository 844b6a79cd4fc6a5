"""Shows what an operator reads whose question cannot be answered: one line, and nothing was made."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import messaging.worker
from standalone import services
from standalone.command import application
from standalone.data_directory import DataDirectory
from standalone.refusals import DidNotStart
from standalone.servers import Servers, choose_ports
from standalone.settings import Settings
from standalone.supervisor import STOP_SECONDS, Supervisor
from webapi import processes

README = Path(__file__).parents[1] / "README.md"
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"


def xiangqiao(*words: str | Path) -> tuple[int, list[str]]:
    """Run the command; give the status and the lines that were printed."""
    command = [str(Path(sys.executable).with_name("xiangqiao")), *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_asking_for_parked_events_where_nothing_was_started_is_one_line_and_makes_nothing(tmp_path: Path) -> None:
    said = f"xiangqiao: nothing was ever started in {tmp_path}; name another directory with --data"
    assert xiangqiao("parked", "list", "--data", tmp_path) == (1, [said])
    assert list(tmp_path.iterdir()) == []


def test_asking_for_parked_events_before_a_migration_is_one_line(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path / "data")
    with home.opened():
        servers = Servers(home, choose_ports(home, Settings(data=home.path), ()), ())
        try:
            servers.start_postgres()
        finally:
            servers.stop()
    code, lines = xiangqiao("parked", "list", "--data", home.path)
    assert (code, lines) == (
        1,
        ["xiangqiao: the database of identity was not migrated; do it with: xiangqiao migrate"],
    )


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("gateway: another rebuild is under way; wait until it has ended.", "another rebuild is under way; wait"),
        (json.dumps({"event": "uncaught_exception", "error_detail": {"type": "Odd"}}), "uncaught_exception Odd"),
    ],
)
def test_a_task_that_fails_is_told_in_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, said: str
) -> None:
    home = DataDirectory(tmp_path / "data")
    failing = [sys.executable, "-c", f"import sys; sys.exit({last!r})"]
    monkeypatch.setattr(services, "command", lambda *_: failing)
    with home.opened():
        names = ("identity", "gateway")
        servers = Servers(home, choose_ports(home, Settings(data=home.path), names), names)
        supervising = Supervisor(home, servers, names, secrets={}, say=lambda _: None)
        with pytest.raises(DidNotStart) as refusal:
            supervising.perform("gateway", "rebuild-home")
    assert str(refusal.value).startswith(f"gateway rebuild-home failed: {said}")


def test_the_readme_lists_every_command() -> None:
    commands = [each.name or each.callback.__name__ for each in application.registered_commands if each.callback]
    groups = [str(each.name) for each in application.registered_groups]
    listed = [line.split()[1] for line in README.read_text().splitlines() if line.startswith("xiangqiao ")]
    assert sorted(listed) == sorted([*commands, *groups])


@pytest.mark.parametrize("service", services.NAMES)
def test_every_service_lists_resends_and_discards_parked_events(service: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [*services.command(service, "parked"), "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"usage: python -m {service} parked [-h] list|resend|discard" in done.stdout


def test_operations_tells_how_long_a_process_may_take_to_end() -> None:
    told = " ".join(OPERATIONS.read_text().split())
    api, worker = processes.DRAIN_SECONDS, int(messaging.worker.DRAIN_SECONDS)
    assert f"ends the present ones, at most {api} seconds; a `worker` finishes its batch, at most {worker};" in told
    assert f"`all` does one after the other, at most {api + worker}." in told
    assert f"`xiangqiao run` waits {STOP_SECONDS:.0f} seconds, then kills" in told
