"""PostgreSQL and NATS of one data directory, with a place in both for every service."""

from collections.abc import Callable, Mapping, Sequence

from standalone import databases, processes, services
from standalone.data_directory import DataDirectory
from standalone.nats import NatsAccount, NatsServer
from standalone.postgres import PostgresServer
from standalone.refusals import CannotRun, PortTaken
from standalone.services import Addresses
from standalone.settings import Settings

Say = Callable[[str], None]
"""Tells the person one line."""

_REMEDY = "choose another with --port or XIANGQIAO_GATEWAY_PORT"


class Servers:
    """The two servers; whoever starts them holds the lock of the data directory."""

    def __init__(self, home: DataDirectory, ports: Mapping[str, int], names: Sequence[str]) -> None:
        self._home = home
        self._names = tuple(names)
        self.postgres = PostgresServer(
            home.postgres,
            port=ports["postgres"],
            password=home.secret("postgres"),
            log=home.logs / "postgres.log",
        )
        accounts = [services.nats_user(name, home.secret(f"{name}.nats")) for name in names]
        self.nats = NatsServer(
            home.nats,
            port=ports["nats"],
            accounts=[NatsAccount("XIANGQIAO", tuple(accounts))],
            log=home.logs / "nats.log",
        )
        passwords = self._database_passwords()
        self.addresses = Addresses(
            ports={name: ports[name] for name in names},
            operations_port=ports[services.OPERATIONS],
            database_urls={
                name: self.postgres.url(name, user=name, password=password) for name, password in passwords.items()
            },
            nats_urls={name: self.nats.url(name) for name in names},
        )

    def start_postgres(self) -> None:
        """Start PostgreSQL and make what the services need in it. Raises CannotRun."""
        self.postgres.start()
        databases.prepare(self.postgres.url(), self._database_passwords())

    def start_nats(self) -> None:
        """Start NATS. Raises CannotRun."""
        self.nats.start()

    def stop(self) -> None:
        """Stop NATS, then PostgreSQL, which has nothing to wait for once the services are gone."""
        self.nats.stop(timeout_seconds=3)
        self.postgres.stop()

    def _database_passwords(self) -> Mapping[str, str]:
        return {name: self._home.secret(f"{name}.database") for name in self._names}


def choose_ports(home: DataDirectory, settings: Settings, names: Sequence[str]) -> dict[str, int]:
    """Take the ports that are set, else those of the last run that are still free, else free ones; remember them."""
    wanted = {services.DOOR: settings.gateway_port, "postgres": settings.postgres_port, "nats": settings.nats_port}
    before: dict[str, int] = home.state.get("ports", {})
    chosen: dict[str, int] = {name: port for name, port in wanted.items() if port is not None}
    for name in ("postgres", "nats", *names, services.OPERATIONS):
        port = before.get(name, 0)
        while name not in chosen:
            if port and port not in chosen.values() and processes.is_port_free(port):
                chosen[name] = port
            port = processes.free_port()
    home.remember(ports=chosen)
    return chosen


def require_door(port: int) -> None:
    """Check that the gateway will be able to listen, before anything is started. Raises PortTaken or CannotRun."""
    try:
        is_free = processes.is_port_free(port)
    except PermissionError as error:
        raise CannotRun(f"no right to listen on port {port}; {_REMEDY}") from error
    if not is_free:
        raise PortTaken(port, purpose="the gateway", remedy=_REMEDY)
