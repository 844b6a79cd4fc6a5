"""Shows that a test session's servers are shared while it lasts and gone afterwards, however it ends."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from standalone import processes
from testkit.accounts import PoolExhausted, leased
from testkit.session import VARIABLE, Session

OPEN_AND_WAIT = """
import json, os, sys, time
from testkit.session import Session
session = Session.open(os.getpid())
facts = session.server("nats")
print(json.dumps({"directory": str(session.directory), **facts}), flush=True)
time.sleep(60)
"""


async def test_nothing_is_left_when_the_test_run_is_killed() -> None:
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", OPEN_AND_WAIT, stdout=asyncio.subprocess.PIPE)
    assert run.stdout is not None
    facts = json.loads(await run.stdout.readline())
    assert processes.is_alive(facts["server_pid"])
    run.kill()
    await run.wait()

    def is_gone() -> bool:
        alive = processes.is_alive(facts["pid"]) or processes.is_alive(facts["server_pid"])
        return not alive and not Path(facts["directory"]).exists()

    assert await asyncio.to_thread(processes.wait_until, is_gone, 15)


def test_a_wrapped_command_finds_a_session_and_its_exit_status_is_kept() -> None:
    command = f"import os; print(os.environ['{VARIABLE}']); raise SystemExit(3)"
    wrapped = [sys.executable, "-m", "testkit.session", sys.executable, "-c", command]
    run = subprocess.run(wrapped, stdout=subprocess.PIPE, check=False, text=True)  # noqa: S603 - the command above
    assert run.returncode == 3
    assert not Path(run.stdout.strip()).exists()


def test_all_who_ask_get_the_same_server() -> None:
    session = Session.open(os.getpid())
    try:
        assert session.server("nats") == Session(session.directory).server("nats")
    finally:
        session.close()
    assert not session.directory.exists()


def test_what_a_killed_run_left_is_swept_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tell = [sys.executable, "-c", "import os; print(os.getpid())"]
    ended = subprocess.run(tell, stdout=subprocess.PIPE, check=True)  # noqa: S603 - the command above
    left = tmp_path / "xiangqiao-test-left"
    left.mkdir()
    (left / "owner").write_bytes(ended.stdout)
    session = Session.open(os.getpid())
    other = Session.open(os.getpid())
    assert not left.exists()
    assert session.directory.exists()
    session.close()
    other.close()


def test_an_account_is_leased_to_one_at_a_time(tmp_path: Path) -> None:
    with leased(tmp_path, ["a", "b"]) as first, leased(tmp_path, ["a", "b"]) as second:
        assert {first, second} == {"a", "b"}
        with pytest.raises(PoolExhausted), leased(tmp_path, ["a", "b"]):
            pass
    with leased(tmp_path, ["a", "b"]) as again:
        assert again == "a"
