"""A small system of processes: feedback's API and worker, the gateway's worker, and servers that they stand on."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from database import KeyRing, migrations
from messaging import connect, streams
from standalone import databases as standalone_databases
from standalone import processes
from standalone.nats import NatsAccount, NatsServer, NatsUser
from standalone.postgres import PostgresServer
from standalone.refusals import CannotRun
from testkit.limits import OUT_OF_REACH
from testkit.service_process import ServiceProcess
from testkit.tokens import TokenIssuer
from tests.faults import tree
from tests.faults.broken import Breakage, command

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
_BELOW_CLIENTS = range(12_000, 30_000)
_PASSWORD = "town"


def lasting_port() -> int:
    """Give a free port that no client is given while its server is down: one below the kernel's range for clients."""
    while not processes.is_port_free(port := random.choice(_BELOW_CLIENTS)):  # noqa: S311 - any will do
        pass
    return port


class Addresses(NamedTuple):
    """Where a town's databases and its broker are."""

    feedback: str
    gateway: str
    nats: str
    identity: str = ""
    members: str = ""
    activities: str = ""
    learning: str = ""


async def prepare(service: str, url: str) -> None:
    """Migrate the database of feedback or of the gateway and plant the tree in it."""
    await migrations.upgrade(url, ROOT / "services" / service / "migrations")
    await tree.plant_in(url, responsibilities=service == "feedback")


async def declare_identity(url: str) -> None:
    """Declare identity's stream, as its worker does: no process is ready before it can hear of revocations."""
    nats = await connect(url, name="identity")
    await streams.declare_stream(nats, "identity")
    await nats.close()


class Town:
    """Makes the town's processes; each keeps its port when it is started again."""

    def __init__(self, addresses: Addresses, issuer: TokenIssuer, folder: Path) -> None:
        self.addresses = addresses
        self.issuer = issuer
        self._folder = folder
        self._sealing_key, self._phone_key = KeyRing.generate(), KeyRing.generate()
        self._made = 0

    def process(self, service: str, kind: str, *, breakages: Sequence[Breakage] = (), **variables: str) -> "Member":
        """Make a process of a service, `api`, `worker` or `all`, with these mechanisms broken."""
        self._made += 1
        port = operations = lasting_port()
        if service == "gateway" and kind != "worker":
            operations = lasting_port()  # its other port is the public's
        environment = {
            "PYTHONPATH": str(ROOT),
            "XIANGQIAO_DATABASE_URL": getattr(self.addresses, service),
            "XIANGQIAO_NATS_URL": self.addresses.nats,
            "XIANGQIAO_ISSUER": self.issuer.issuer,
            "XIANGQIAO_JWKS_URL": self.issuer.jwks_url,
            "XIANGQIAO_SEALING_KEY": self._sealing_key,
            "XIANGQIAO_PHONE_KEY": self._phone_key,
            "XIANGQIAO_PORT": str(port),
            **({"XIANGQIAO_OPERATIONS_PORT": str(operations)} if service == "gateway" else {}),
            "XIANGQIAO_STARTUP_WAIT_SECONDS": str(START_SECONDS),
            "XIANGQIAO_LOG_LEVEL": "info",
            **OUT_OF_REACH,
            **{f"XIANGQIAO_UPSTREAM_{name}": "http://127.0.0.1:9" for name in _UPSTREAMS},
            **variables,
        }
        log = self._folder / f"{self._made}-{service}-{kind}.log"
        return Member(port, operations, command(service, kind, breakages=breakages), environment, log)


_UPSTREAMS = ("IDENTITY", "MEMBERS", "ACTIVITIES", "LEARNING", "FEEDBACK")


class Member(ServiceProcess):
    """One process of a town; `url` is where it listens."""

    def __init__(
        self, port: int, operations: int, command: Sequence[str], environment: dict[str, str], log: Path
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        ready_url = f"http://127.0.0.1:{operations}/health/ready"
        super().__init__(command, log=log, environment=environment, ready_url=ready_url)

    async def start(self, *, timeout_seconds: float = START_SECONDS) -> None:
        """Start it and wait until it is ready."""
        await super().start(timeout_seconds=timeout_seconds)


@asynccontextmanager
async def started(*members: Member) -> AsyncIterator[None]:
    """Start processes side by side, and stop them after the block."""
    async with contextlib.AsyncExitStack() as stack:
        for member in members:
            stack.push_async_callback(member.stop)
        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(member.start())
        yield


class Server(Protocol):
    """What can be killed and started again."""

    def kill(self) -> None:
        """Kill it as a crash would."""

    def start(self) -> None:
        """Start it and wait until it is ready."""


async def start_server(server: Server) -> None:
    """Start a server; what is left of the killed one may take a moment to go."""
    for attempt in range(1, 21):
        try:
            await asyncio.to_thread(server.start)
        except CannotRun:
            if attempt == 20:
                raise
            await asyncio.sleep(0.5)
        else:
            return


class Servers(NamedTuple):
    """PostgreSQL and a broker of a test's own, as durable as in production."""

    postgres: PostgresServer
    nats: NatsServer

    def addresses(self) -> Addresses:
        """Tell where they are."""
        feedback, gateway = (self.postgres.url(name, user=name, password=_PASSWORD) for name in ("feedback", "gateway"))
        return Addresses(feedback, gateway, self.nats.url("town"))


@asynccontextmanager
async def own_servers(folder: Path) -> AsyncIterator[Servers]:
    """Start both servers with the databases of feedback and the gateway in them, and stop them after the block."""
    postgres = PostgresServer(folder / "postgres", port=lasting_port(), password=_PASSWORD, log=folder / "postgres.log")
    account = NatsAccount("TOWN", (NatsUser("town", _PASSWORD),))
    nats = NatsServer(folder / "nats", port=lasting_port(), accounts=[account], log=folder / "nats.log")
    servers = Servers(postgres, nats)
    try:
        await asyncio.gather(asyncio.to_thread(postgres.start), asyncio.to_thread(nats.start))
        passwords = dict.fromkeys(("feedback", "gateway"), _PASSWORD)
        await asyncio.to_thread(standalone_databases.prepare, postgres.url(), passwords)
        addresses = servers.addresses()
        await prepare("feedback", addresses.feedback)  # one after the other: Alembic's context is the process's
        await prepare("gateway", addresses.gateway)
        await declare_identity(addresses.nats)
        yield servers
    finally:
        await asyncio.gather(asyncio.to_thread(postgres.stop), asyncio.to_thread(nats.stop))
