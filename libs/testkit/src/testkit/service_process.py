"""A process of the system that a fault test starts, kills, freezes and starts again."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from standalone import processes


class NotReady(Exception):
    """The process ended, or was not ready in time; the message ends with the last lines it wrote."""


class ServiceProcess(processes.Child):
    """One command, for example `[sys.executable, "-m", "members", "worker"]`.

    `environment` is added to the test's own. With `ready_url`, `start` waits until a GET there answers 200. The
    process is killed when the test process ends, whatever happens.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str], ready_url: str | None = None
    ) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._ready_url = ready_url
        self.log = log

    async def __aenter__(self) -> "ServiceProcess":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, timeout_seconds: float = 30) -> None:
        """Start the process, again after it ended, and wait until it is ready. Raises NotReady."""
        if self.is_running:
            raise NotReady("the process runs already")
        self.process = processes.spawn(self._command, log=self.log, environment=self._environment)
        if self._ready_url is not None:
            await self.wait_until_ready(timeout_seconds=timeout_seconds)

    async def wait_until_ready(self, *, timeout_seconds: float = 30) -> None:
        """Return once `ready_url` answers 200. Raises NotReady."""
        try:
            async with asyncio.timeout(timeout_seconds), httpx.AsyncClient(trust_env=False, timeout=2) as client:
                while not await self._is_ready(client):
                    if not self.is_running:
                        raise NotReady(f"the process ended: {processes.last_lines(self.log, 5)}")
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise NotReady(f"not ready in {timeout_seconds} s: {processes.last_lines(self.log, 5)}") from error

    def freeze(self) -> None:
        """Stop its execution (SIGSTOP): its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    async def stop(self, *, timeout_seconds: float = 15) -> int:
        """Ask it to end (SIGTERM), kill it when it does not; return its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        return await asyncio.to_thread(processes.stop, self.process, timeout_seconds=timeout_seconds)

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(self._ready_url or "")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
