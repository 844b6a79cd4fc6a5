"""Starts the services, waits until they are ready, keeps them running, and stops them all."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from standalone import processes, services
from standalone.data_directory import DataDirectory
from standalone.logs import keep_bounded
from standalone.refusals import PASSING, CannotRun, DidNotStart, PortTaken, lasting, of_disk
from standalone.servers import Say, Servers

READY_SECONDS = 90.0
STOP_SECONDS = 7.0
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""What ran so long before it ended is started again at once."""


@dataclass
class Kept:
    """A service or a server that is kept running; `logged` is the size in bytes of its log before it was started."""

    name: str
    log: Path
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    logged: int = 0
    started_at: float = 0.0
    failures: int = 0
    start_again_at: float = 0.0


class Supervisor:
    """The services of one data directory. Times are of the monotonic clock, in seconds.

    `end_if_stopped` is called again and again while something is waited for, and raises to break it off.
    """

    def __init__(
        self,
        home: DataDirectory,
        servers: Servers,
        names: Sequence[str],
        *,
        secrets: Mapping[str, Mapping[str, str]],
        say: Say = lambda _: None,
        end_if_stopped: Callable[[], None] = lambda: None,
    ) -> None:
        self._home = home
        self._servers = servers
        self._kept = {name: Kept(name, home.logs / f"{name}.log", partial(self._spawn, name, "all")) for name in names}
        self._secrets = secrets
        self._say = say
        self._end_if_stopped = end_if_stopped

    def migrate(self, *, only_changed: bool = False) -> None:
        """Bring every service's database to its newest revision, two services at a time.

        With `only_changed`, services whose code is the one that migrated last time are passed over. Raises DidNotStart.
        """
        done: dict[str, str] = self._home.state.get("migrated", {})
        prints = {name: services.fingerprint(name) for name in self._kept}
        known = [name for name, made_by in prints.items() if made_by is not None and done.get(name) == made_by]
        waiting = [name for name in self._kept if not only_changed or name not in known]
        running: dict[str, subprocess.Popen[bytes]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2:
                    running[waiting[0]] = self._spawn(waiting[0], "migrate")
                    waiting.pop(0)
                time.sleep(0.02)
                self._end_if_stopped()
                for name, process in list(running.items()):
                    if process.poll() is None:
                        continue
                    del running[name]
                    if process.returncode != 0:
                        raise DidNotStart(f"{name} was not migrated: {self._last_words(name)}")
                    if (made_by := prints[name]) is not None:
                        done[name] = made_by
        finally:
            for process in running.values():
                process.kill()
                process.wait()
            self._home.remember(migrated=done)

    def perform(self, service: str, task: str) -> str:
        """Have a service do one task of its own in a process of its own; return its last line. Raises DidNotStart."""
        environment = services.environment(service, self._servers.addresses, self._secrets.get(service, {}))
        done = subprocess.run(  # noqa: S603 - our own command
            services.command(service, task), env=environment, capture_output=True, text=True, check=False
        )
        lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
        if done.returncode != 0:
            said = _in_short(lines[-1]).removeprefix(f"{service}: ") if lines else "it said nothing"
            raise DidNotStart(f"{service} {task} failed: {said}")
        return lines[-1] if lines else ""

    def start(self) -> None:
        """Start every service and return when all say that they are ready. Raises DidNotStart."""
        for kept in self._kept.values():
            self._start(kept)
        deadline = time.monotonic() + READY_SECONDS
        not_ready = set(self._kept)
        with httpx.Client(trust_env=False, timeout=3) as client, ThreadPoolExecutor(len(self._kept)) as threads:
            while not_ready:
                for name in not_ready:
                    process = self._kept[name].process
                    if process is not None and process.poll() is not None:
                        raise DidNotStart(f"{name} did not start: {self._last_words(name)}")
                asked = sorted(not_ready)
                answers = threads.map(lambda name: is_ready(client, self._servers.addresses.ready_url(name)), asked)
                not_ready -= {name for name, ready in zip(asked, answers, strict=True) if ready}
                if not_ready and time.monotonic() > deadline:
                    name = min(not_ready)
                    raise DidNotStart(f"{name} was not ready in {READY_SECONDS:.0f} s: {self._last_words(name)}")
                time.sleep(0.05)
                self._end_if_stopped()

    def supervise(self, stopped: Callable[[], bool]) -> None:
        """Keep everything running until `stopped` says so.

        Raises CannotRun when something ended for a reason that cannot pass, as want of space, or of a permission.
        """
        bounded_at, began = 0.0, time.monotonic()
        servers = [
            Kept(name, server.log, server.launch, server.process, processes.size_of(server.log), began)
            for name, server in (("PostgreSQL", self._servers.postgres), ("NATS", self._servers.nats))
        ]
        while not stopped():
            time.sleep(0.2)
            now = time.monotonic()
            for kept in (*servers, *self._kept.values()):
                self._restart_if_ended(kept, now)
            if now - bounded_at > 5:
                bounded_at = now
                with suppress(OSError):  # tried again in five seconds, and no reason to end
                    keep_bounded(self._home.logs)

    def stop(self, hurry: Callable[[], bool]) -> None:
        """Ask all services to stop; kill those that have not after seven seconds, or as soon as `hurry` says so."""
        running = [kept.process for kept in self._kept.values() if kept.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or hurry():
                for process in running:
                    process.kill()
            time.sleep(0.02)

    def _restart_if_ended(self, kept: Kept, now: float) -> None:
        if kept.process is not None and kept.process.poll() is not None:
            steady = now - kept.started_at > STEADY_SECONDS
            if not steady and (reason := lasting(processes.lines_of(kept.log, since=kept.logged))):
                raise CannotRun(f"{kept.name} cannot be started again: {reason} (log: {kept.log})")
            self._put_off(kept, _status(kept.process.returncode), now, steady=steady)
        if kept.process is None and now >= kept.start_again_at:
            try:
                self._start(kept)
            except PortTaken as refusal:
                self._put_off(kept, f"was not started: {refusal}", now, steady=False)
            except OSError as error:
                if error.errno not in PASSING:
                    raise of_disk(error, kept.log) from error
                self._put_off(kept, f"was not started: {error.strerror}", now, steady=False)

    def _put_off(self, kept: Kept, why: str, now: float, *, steady: bool) -> None:
        kept.failures = 1 if steady else kept.failures + 1
        delay = 0.0 if steady else min(2.0 ** (kept.failures - 1), LONGEST_DELAY_SECONDS)
        self._say(f"{kept.name} {why}; starting it again in {delay:.0f} s (log: {kept.log})")
        kept.process, kept.start_again_at = None, now + delay

    def _start(self, kept: Kept) -> None:
        kept.logged = processes.size_of(kept.log)
        kept.process = kept.start()
        kept.started_at = time.monotonic()
        facts = {
            other.name: {"pid": other.process.pid, "failures": other.failures}
            for other in self._kept.values()
            if other.process is not None
        }
        self._home.remember(services=facts)

    def _spawn(self, name: str, what: str) -> subprocess.Popen[bytes]:
        return processes.spawn(
            services.command(name, what),
            log=self._home.logs / f"{name}.log",
            directory=self._home.path,
            environment=services.environment(name, self._servers.addresses, self._secrets.get(name, {})),
        )

    def _last_words(self, name: str) -> str:
        log = self._home.logs / f"{name}.log"
        return f"{_in_short(processes.last_lines(log))} (log: {log})"


def _in_short(line: str) -> str:
    """Return what a line of a log says: of a structured one its event and the kind of error, the rest is in the log."""
    try:
        entry = json.loads(line)
        return " ".join(filter(None, [entry["event"], entry.get("error_detail", {}).get("type", "")]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return line


def is_ready(client: httpx.Client, url: str) -> bool:
    """Ask a service at this address whether it can work."""
    try:
        return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _status(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
