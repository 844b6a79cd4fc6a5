"""One test session's servers: started by whoever asks first, shared by every worker, gone when the session is.

A session is a directory. Each server in it is kept by a process of its own (`testkit.keeper`), which stops it when
the session's owner has ended, however it ended.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from standalone import processes

VARIABLE = "XIANGQIAO_TESTKIT"
"""Environment variable with the directory of a session that runs already; tests then use its servers."""

_PREFIX = "xiangqiao-test-"

Kind = Literal["postgres", "nats"]


class ServerFailed(Exception):
    """A test server did not start; the message ends with what its log says."""


class Session:
    """The servers of one directory, each started at the first call of `server`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def open(cls, owner: int) -> "Session":
        """Make a session that lives until `close`, or until the process with the id `owner` has ended."""
        _sweep()
        session = cls(Path(tempfile.mkdtemp(prefix=_PREFIX)))
        (session.directory / "owner").write_text(str(owner))
        return session

    @property
    def owner(self) -> int:
        """The id of the process that the session must not outlive."""
        return int((self.directory / "owner").read_text())

    def server(self, kind: Kind) -> dict[str, Any]:
        """Return what the keeper of this server wrote about it, after starting it if nobody has. Raises ServerFailed.

        Both kinds give `pid` (the keeper's), `server_pid` and `port`; postgres also `password` (of the superuser),
        nats also `accounts`, a list of user names that double as passwords.
        """
        facts = self.directory / f"{kind}.json"
        with self.locked(kind):
            if not facts.exists():
                self._start_keeper(kind, facts)
            found: dict[str, Any] = json.loads(facts.read_text())
        if not processes.is_alive(found["pid"]):
            raise ServerFailed(f"the {kind} server of this test session has ended; log: {self.directory}/{kind}.log")
        return found

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the session's lock of this name, which no other process holds meanwhile."""
        with (self.directory / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Stop the session's servers and delete its directory."""
        keepers = [json.loads(facts.read_text())["pid"] for facts in self.directory.glob("*.json")]
        for pid in keepers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for pid in keepers:
            processes.stop_by_id(pid, gentle=signal.SIGTERM, timeout_seconds=20)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start_keeper(self, kind: Kind, facts: Path) -> None:
        log = self.directory / f"{kind}-keeper.log"
        with log.open("ab") as output:
            keeper = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "testkit.keeper", kind, str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in the terminal is for pytest; the keeper follows its owner
            )
        processes.wait_until(lambda: facts.exists() or keeper.poll() is not None, 60)
        if not facts.exists():
            keeper.kill()
            raise ServerFailed(f"no {kind} server for the tests: {processes.last_lines(log, 3)}")
        # The keeper outlives this worker on purpose, so nobody here waits for it.
        keeper.returncode = 0


def _sweep() -> None:
    """Delete what killed test runs left when no keeper was there to do it."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):  # another user's, or just being made or deleted
            keepers = [json.loads(facts.read_text())["pid"] for facts in directory.glob("*.json")]
            if not any(processes.is_alive(pid) for pid in [Session(directory).owner, *keepers]):
                shutil.rmtree(directory)


def run_within_session(command: list[str]) -> int:
    """Run a command whose test runs share one session; return its exit status."""
    session = Session.open(os.getpid())
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: object) -> None:
        if child is not None:
            child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it from the terminal too, and ends by itself
    try:
        child = subprocess.Popen(  # noqa: S603 - the developer's own command
            command,
            env={**os.environ, VARIABLE: str(session.directory)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one call, one thread
        )
        return child.wait()
    finally:
        session.close()


if __name__ == "__main__":
    raise SystemExit(run_within_session(sys.argv[1:]))
