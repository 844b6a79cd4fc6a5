"""The life of a standalone system: started in order, kept running, stopped in order, nothing left behind."""

import os
import signal
import time
from base64 import b32encode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from standalone import demo_phone, services
from standalone.data_directory import DataDirectory
from standalone.servers import Say, Servers, choose_ports, require_door
from standalone.settings import Settings
from standalone.supervisor import Supervisor

ADMINISTRATORS = ("administrator", "security", "auditor")
"""The accounts that the first start opens, one for each administration: system, security, audit."""


def run(
    home: DataDirectory,
    settings: Settings,
    *,
    say: Say,
    once_ready: Callable[[Servers], None],
    names: Sequence[str] = services.NAMES,
    with_demo_phone: bool = False,
) -> None:
    """Run the whole system until SIGINT, SIGTERM or SIGHUP; a second signal hurries the stop.

    `once_ready` is called when every service is ready. Raises CannotRun when the system cannot start, or a server
    cannot be started again; everything is stopped by then. `with_demo_phone` shows what is sent to phones on a page of
    this machine, where no gateway of short messages is set.
    """
    with (
        home.opened(),
        _Signals() as signals,
        suppress(KeyboardInterrupt),
        demo_phone.demo_phone(home, wanted=with_demo_phone) as phone,
    ):
        require_door(settings.gateway_port)
        servers = Servers(home, choose_ports(home, settings, names), names)
        secrets = secrets_of(home)
        if phone is not None:
            for name in demo_phone.SENDING:
                secrets[name].update(phone[1])
        supervisor = Supervisor(home, servers, names, secrets=secrets, say=say, end_if_stopped=signals.end_if_stopped)
        try:
            for what, do in {
                "PostgreSQL": servers.start_postgres,
                "NATS": servers.start_nats,
                "databases": lambda: supervisor.migrate(only_changed=True),
                "services": supervisor.start,
            }.items():
                began = time.monotonic()
                do()
                signals.end_if_stopped()
                say(f"{what} ready ({time.monotonic() - began:.1f} s)")
            with signals.breaking_off():
                once_ready(servers)
            supervisor.supervise(lambda: signals.stopped)
        finally:
            signals.stopped = True
            say("stopping")
            supervisor.stop(lambda: signals.hurry)
            servers.stop()
            home.remember(services={})
            say("stopped")


@contextmanager
def open_servers(home: DataDirectory, settings: Settings) -> Iterator[tuple[Servers, Supervisor]]:
    """Give the servers of a data directory for a single task: those of the running system, else PostgreSQL alone.

    Raises CannotRun.
    """
    if home.is_in_use():
        servers = Servers(home, home.state["ports"], services.NAMES)
        yield servers, Supervisor(home, servers, services.NAMES, secrets=secrets_of(home))
        return
    with home.opened():
        servers = Servers(home, choose_ports(home, settings, services.NAMES), services.NAMES)
        try:
            servers.start_postgres()
            yield servers, Supervisor(home, servers, services.NAMES, secrets=secrets_of(home))
        finally:
            servers.stop()


def secrets_of(home: DataDirectory) -> dict[str, dict[str, str]]:
    """Return the secret settings of each service: what seals its personal data, of what codes to phones are made,
    the first administrators' password.
    """
    secrets = {name: {"SEALING_KEY": home.secret(f"{name}.sealing_key", make=_sealing_key)} for name in services.NAMES}
    for name in demo_phone.SENDING:  # these make the same codes
        secrets[name]["PHONE_KEY"] = home.secret("phone_key", make=_sealing_key)
    secrets["identity"]["BOOTSTRAP_PASSWORD"] = administrator_password(home, first=True)
    return secrets


def administrator_password(home: DataDirectory, *, first: bool = False) -> str:
    """Return the password of the three administrators: the one their accounts are made with, or that of the seed.

    Whoever signs in by the `first` one chooses another; the seed, which needs all three, does so with this one.
    """
    return home.secret("administrator" if first else "administrator.own", make=_typeable_password)


def demonstration_password(home: DataDirectory, *, first: bool = False) -> str:
    """Return the password of the demonstration's people: the one they sign in with, or the `first` one."""
    return home.secret("demonstration" if first else "demonstration.own", make=_typeable_password)


def _typeable_password() -> str:
    """Make a password of 80 random bits that a person can read from a screen and type."""
    letters = b32encode(os.urandom(10)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _sealing_key() -> str:
    """Make a key ring of one key, `number:base64 of 32 bytes`."""
    return f"1:{b64encode(os.urandom(32)).decode()}"


class _Signals:
    """SIGINT, SIGTERM and SIGHUP while the block lasts: the first asks to stop, a later one to hurry.

    Its flags are no events: the handler runs between any two steps of the main thread, which may hold an event's lock.
    """

    def __init__(self) -> None:
        self.stopped = False
        self.hurry = False
        self._breaks_off = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "_Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def end_if_stopped(self) -> None:
        """Raise KeyboardInterrupt when a signal has come.

        The handler raises nothing where processes are started: in the middle of a fork an exception is lost.
        """
        if self.stopped:
            raise KeyboardInterrupt

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """Break off the block at the first signal; nothing in it may start a process."""
        self._breaks_off = True
        try:
            yield
        finally:
            self._breaks_off = False

    def _on_signal(self, *_: object) -> None:
        if self.stopped:
            self.hurry = True
            return
        self.stopped = True
        if self._breaks_off:
            raise KeyboardInterrupt
