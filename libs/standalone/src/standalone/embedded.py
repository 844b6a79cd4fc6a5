"""A server that runs as our child over one directory, listening on the loopback address alone, and ends with us."""

import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from standalone import processes
from standalone.refusals import DidNotStart, PortTaken, of_disk


class Start(NamedTuple):
    """How a server is started: its command, its whole environment if not ours, the user if not the present one."""

    command: Sequence[str | Path]
    environment: Mapping[str, str] | None = None
    user_id: int | None = None


class EmbeddedServer(processes.Child, ABC):
    """One server over `directory`; its output is appended to `log`."""

    title: ClassVar[str]
    port_setting: ClassVar[str]
    gentle: ClassVar[signal.Signals]
    """The signal at which it writes its data out and ends."""

    def __init__(self, directory: Path, *, port: int, log: Path) -> None:
        self.directory = directory.absolute()
        self.port = port
        self.log = log

    @abstractmethod
    def _prepare(self) -> Start:
        """Make what the server needs in its directory, and stop what was left over on it. Raises CannotRun."""

    @abstractmethod
    def _is_ready(self) -> bool: ...

    def start(self, *, timeout_seconds: float = 120) -> None:
        """Launch the server and return once it serves. Raises DidNotStart, and what `launch` raises."""
        logged = processes.size_of(self.log)
        self.launch()
        processes.wait_until(lambda: self._is_ready() or not self.is_running, timeout_seconds)
        if not self._is_ready():
            self.stop()
            reason = processes.last_lines(self.log, 2, since=logged)
            raise DidNotStart(f"{self.title} did not start: {reason} (log: {self.log})")

    def launch(self) -> subprocess.Popen[bytes]:
        """Launch the server, which serves once it has read or recovered its data.

        Call it from a thread that lives as long as the server should (see `processes.spawn`).

        Raises PortTaken, NotWritable, MadeByNewerVersion or another CannotRun.
        """
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            command, environment, user_id = self._prepare()
        except OSError as error:
            raise of_disk(error, self.directory) from error
        if not processes.is_port_free(self.port):
            raise PortTaken(self.port, purpose=self.title, remedy=f"set {self.port_setting} to another")
        self.process = processes.spawn(
            command,
            log=self.log,
            directory=self.directory,
            environment=environment,
            user_id=user_id,
            death_signal=self.gentle,
        )
        return self.process

    def stop(self, *, timeout_seconds: float = 10) -> None:
        """Stop the server: its clients are disconnected, its data written out; killed if it hangs."""
        if self.process is not None:
            processes.stop(self.process, gentle=self.gentle, timeout_seconds=timeout_seconds)
