"""Child processes that never outlive the program that started them."""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_NOT_OUTGOING = range(20_000, 32_000)
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Child:
    """A process of ours: `process` is the one started last, None before the first start."""

    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process started last. Raises RuntimeError when none was."""
        if self.process is None:
            raise RuntimeError("the process was not started")
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill it as a crash would (SIGKILL), frozen or not; its own children notice and end by themselves."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    user_id: int | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to the file `log`.

    On Linux the kernel sends it `death_signal` when the thread that called this function ends, however it ends: call
    it from a thread that lives as long as the child should. With `user_id` (root only) the child runs as that user.

    Raises OSError when the command or the log cannot be opened.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    # O_APPEND, so that the log can be cut short while the child holds it open.
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - every caller gives a fixed program, no shell is involved
            [str(part) for part in command],
            cwd=directory,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops things in their order
            user=user_id,
            group=None if user_id is None else user_id,
            extra_groups=None if user_id is None else [],
            pass_fds=tuple(pass_fds),
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call; it must come after the change of user
        )
    finally:
        os.close(output)


def stop(
    process: subprocess.Popen[bytes], *, gentle: signal.Signals = signal.SIGTERM, timeout_seconds: float = 10
) -> int:
    """Ask the process to stop, wait, kill it if it does not; return its exit status."""
    if process.poll() is None:
        process.send_signal(gentle)
        try:
            return process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def stop_by_id(pid: int, *, gentle: signal.Signals, timeout_seconds: float) -> None:
    """Stop a process that is not a child of this one: ask, wait, kill."""
    for wanted, seconds in ((gentle, timeout_seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, wanted)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(pid), seconds):
            return


def stop_left_over(pid: int, directory: Path, *, gentle: signal.Signals) -> None:
    """Stop the process with this id if it still works in `directory`; by now the id may be anybody's."""
    try:
        is_ours = is_alive(pid) and Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return
    if is_ours:
        stop_by_id(pid, gentle=gentle, timeout_seconds=30)


def is_alive(pid: int) -> bool:
    """Tell whether a process with this id exists and has not ended (a zombie has ended)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux"


def wait_until(condition: Callable[[], bool], seconds: float, *, every_seconds: float = 0.02) -> bool:
    """Ask until the condition holds, at most so many seconds; return whether it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_seconds)
    return True


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on now.

    It is none of those that a system gives to outgoing connections, for until a server listens there one may take it.
    """
    while not is_port_free(port := secrets.choice(_NOT_OUTGOING)):
        pass
    return port


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen there now. Raises PermissionError for a port below 1024 without the right."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise
        except OSError:
            return False
        return True


def size_of(log: Path) -> int:
    """Return the size of a log in bytes, 0 when there is none."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def last_lines(log: Path, count: int = 1, *, since: int = 0) -> str:
    """Return the last lines of a log joined by a space, of those after its first `since` bytes; empty if none."""
    return " ".join(lines_of(log, since=since)[-count:])


def lines_of(log: Path, *, since: int = 0) -> list[str]:
    """Return the lines of a log that are not empty, after its first `since` bytes and of its last 16 KiB."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, size_of(log) - 16_384))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()]
