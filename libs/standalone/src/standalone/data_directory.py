"""The directory that holds all data of a standalone system: whose it is, which version made it, its secrets."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from standalone.refusals import AlreadyRunning, CannotRun, MadeByNewerVersion, of_disk

DATA_VERSION = 1
"""Grows when the layout of the directory changes so that an older program would misread it."""

_OURS = {"VERSION", "lock", "secrets.json", "tokens.json", "state.json", "postgres", "nats", "logs", "bench.json"}


class _Damaged(CannotRun):
    """A file of ours is not what we wrote."""


class DataDirectory:
    """Paths, lock, secrets and remembered state of one installation, below `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.postgres = self.path / "postgres"
        self.nats = self.path / "nats"
        self.logs = self.path / "logs"
        self._secrets = self.path / "secrets.json"
        self._tokens = self.path / "tokens.json"
        self._state = self.path / "state.json"

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make the directory if there is none, check that it is ours to use, and hold its lock.

        Raises AlreadyRunning, MadeByNewerVersion, NotWritable or another CannotRun.
        """
        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._check_contents()
                self._take(stack.enter_context((self.path / "lock").open("a+")).fileno())
                (self.path / "VERSION").write_text(f"{DATA_VERSION}\n")
                self.logs.mkdir(exist_ok=True)
            except OSError as error:
                raise of_disk(error, self.path) from error
            yield

    def require_data(self) -> None:
        """Raise CannotRun where neither the system nor its databases alone were ever started."""
        try:
            has_data = (self.postgres / "PG_VERSION").exists()
        except OSError as error:
            raise of_disk(error, self.postgres) from error
        if not has_data:
            raise CannotRun(f"nothing was ever started in {self.path}; name another directory with --data")

    def is_in_use(self) -> bool:
        """Tell whether a process holds the lock now."""
        try:
            with (self.path / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        except OSError as error:
            raise of_disk(error, self.path) from error
        return False

    def secret(self, name: str, *, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        """Return the secret kept under this name; the first time it is made, and written for its owner alone."""
        known = self._read(self._secrets)
        if name not in known:
            known[name] = make()
            self._write(self._secrets, known)
        return str(known[name])

    def known_secret(self, name: str) -> str | None:
        """Return the secret kept under this name, None when there is none."""
        found = self._read(self._secrets).get(name)
        return None if found is None else str(found)

    def keep_secret(self, name: str, secret: str) -> None:
        """Keep a secret that was made elsewhere, in place of a former one of this name."""
        self._write(self._secrets, {**self._read(self._secrets), name: secret})

    def token(self, username: str, *, now: float) -> str | None:
        """Return the access token kept for somebody, None when there is none that is good at `now` (seconds, Unix)."""
        token, good_until = self._kept_tokens().get(username, ("", 0.0))
        return str(token) if now < good_until else None

    def keep_token(self, username: str, token: str, *, good_until: float) -> None:
        """Keep an access token, for its owner's eyes alone, until a moment (seconds, Unix)."""
        self._write(self._tokens, {**self._kept_tokens(), username: (token, good_until)})

    def _kept_tokens(self) -> dict[str, Any]:
        try:
            return self._read(self._tokens)
        except _Damaged:  # whoever signs in again has another
            return {}

    @property
    def state(self) -> dict[str, Any]:
        """What the last run remembered: ports, process ids, what was migrated, whether the demonstration is loaded."""
        return self._read(self._state)

    def remember(self, **facts: Any) -> None:
        """Add facts to the state, replacing those of the same name."""
        self._write(self._state, {**self.state, **facts})

    def _check_contents(self) -> None:
        version = self.path / "VERSION"
        if not version.exists():
            foreign = sorted(entry.name for entry in self.path.iterdir() if entry.name not in _OURS)
            if foreign:
                raise CannotRun(
                    f"{self.path} holds {foreign[0]}, so it is no data directory of Xiangqiao; "
                    "choose an empty one with --data"
                )
            return
        found = version.read_text().strip()
        if not found.isdigit() or int(found) > DATA_VERSION:
            raise MadeByNewerVersion(
                f"{self.path} was made by a newer version (its data are of version {found!r}, this program knows "
                f"{DATA_VERSION}); use that version, or choose another --data directory"
            )

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(lock, 20, 0).decode().strip() or "unknown"
            raise AlreadyRunning(
                f"{self.path} is in use by the process {holder}; stop that one, or choose another --data directory"
            ) from error
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())

    def _read(self, file: Path) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(file.read_text())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise of_disk(error, file) from error
        except ValueError as error:
            raise _Damaged(f"{file} is damaged ({error}); restore it from a backup, or start with new data") from error
        return found

    def _write(self, file: Path, content: dict[str, Any]) -> None:
        """Replace the file in one step, so that a crash leaves the old one or the new one."""
        unfinished = file.with_suffix(f".{os.getpid()}")  # commands of several terminals write at once
        try:
            unfinished.unlink(missing_ok=True)  # left by a crash, or planted: what is there may be anybody's
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as writer:
                json.dump(content, writer, indent=2)
                writer.flush()
                os.fsync(writer.fileno())
            unfinished.replace(file)
        except OSError as error:
            raise of_disk(error, file) from error
