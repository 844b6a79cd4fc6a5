"""What keeps the system from running and what a person can do about it, each as one clear line."""

import errno
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final


class CannotRun(Exception):
    """Something outside the program keeps it from running; the message is one line for the person who started it."""


class PortTaken(CannotRun):
    """Another program listens on a port that this one needs."""

    def __init__(self, port: int, *, purpose: str, remedy: str) -> None:
        super().__init__(f"port {port} for {purpose} is taken by another program; {remedy}")


class NotWritable(CannotRun):
    """The data directory, or something in it, cannot be written by the person who started the program."""


class MadeByNewerVersion(CannotRun):
    """The data directory was written by a version that this program does not know."""


class AlreadyRunning(CannotRun):
    """Another process works on the same data directory."""


class DidNotStart(CannotRun):
    """A server or service ended, or did not answer in time, while it was being started."""


_LASTING: Final = re.compile(
    r": (no space left on device|disk quota exceeded|permission denied|read-only file system)$", re.IGNORECASE
)

PASSING: Final = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""The operating system's errors when it has no room for one more process just now."""


def lasting(lines: Iterable[str]) -> str | None:
    """Return the last line of a server's log that names what no further start will change, None when none does."""
    return next((line for line in reversed(list(lines)) if _LASTING.search(line)), None)


def of_disk(error: OSError, path: Path) -> CannotRun:
    """Return the refusal that says what the operating system's error at `path` means for the person."""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return NotWritable(f"no permission to write {path} as user id {os.geteuid()}; choose another --data directory")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return CannotRun(f"no space left on the disk of {path}; free some, or choose another --data directory")
    return CannotRun(f"cannot use {path}: {error.strerror or error}; choose another --data directory")
