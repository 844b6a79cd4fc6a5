"""What the fault tests share: a stage and a town on the run's own servers, and processes that can be killed."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from database import Database
from messaging import NatsConnection, connect, connection
from testkit.databases import Template, TestDatabases
from testkit.service_process import ServiceProcess
from testkit.tokens import TokenIssuer
from tests.faults import stage as stages
from tests.faults import town as towns
from tests.faults import tree
from tests.faults.broken import Breakage, command
from tests.faults.stage import Stage, until
from tests.faults.town import ROOT, Addresses, Town, declare_identity, prepare


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("faults", stages.make_tables, sources=[Path(stages.__file__)])


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, application_name="faults")
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def nats(nats_url: str) -> AsyncIterator[NatsConnection]:
    connection = await connect(nats_url, name="faults")
    yield connection
    await connection.close()


@pytest.fixture
def stage(database: Database, nats: NatsConnection) -> Stage:
    return Stage(database, nats)


@pytest.fixture(autouse=True)
def quick_to_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a lost broker ten times a second, so that a test does not wait for it."""
    monkeypatch.setattr(connection, "RECONNECT_SECONDS", 0.1)


Staged = Callable[..., ServiceProcess]


@pytest.fixture
def staged(database_url: str, nats_url: str, tmp_path: Path) -> Staged:
    """Make processes that run the stage's relay and consumer, with these mechanisms broken."""

    def make(*breakages: Breakage) -> ServiceProcess:
        return ServiceProcess(
            command("tests.faults.staged", breakages=breakages),
            log=tmp_path / "staged.log",
            environment={
                "PYTHONPATH": str(ROOT),
                "XIANGQIAO_DATABASE_URL": database_url,
                "XIANGQIAO_NATS_URL": nats_url,
            },
        )

    return make


@pytest_asyncio.fixture
async def town(databases: TestDatabases, nats_url: str, issuer: TokenIssuer, tmp_path: Path) -> AsyncIterator[Town]:
    """A town on the run's own servers, which no test here may kill."""
    planted = {service: await _town_template(databases, service) for service in ("feedback", "gateway")}
    async with _town_of(planted, databases, nats_url, issuer, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def whole_town(
    databases: TestDatabases,
    template_of: Callable[[str], Awaitable[Template]],
    nats_url: str,
    tmp_path: Path,
) -> AsyncIterator[Town]:
    """The same with a database for each other service, too."""
    planted = {service: await _town_template(databases, service) for service in ("feedback", "gateway")}
    others = {name: await template_of(name) for name in Addresses._fields if name not in {"nats", *planted}}
    with TokenIssuer(issuer="http://127.0.0.1:8080") as issuer:  # identity takes plain HTTP of loopback alone
        async with _town_of({**planted, **others}, databases, nats_url, issuer, tmp_path) as made:
            yield made


@contextlib.asynccontextmanager
async def _town_of(
    templates: Mapping[str, Template], databases: TestDatabases, nats_url: str, issuer: TokenIssuer, folder: Path
) -> AsyncIterator[Town]:
    async with contextlib.AsyncExitStack() as stack:
        urls = {name: await stack.enter_async_context(databases.database(made)) for name, made in templates.items()}
        await declare_identity(nats_url)
        yield Town(Addresses(nats=nats_url, **urls), issuer, folder)


async def _town_template(databases: TestDatabases, service: str) -> Template:
    sources = [ROOT / "services" / service / "migrations", Path(towns.__file__), Path(tree.__file__)]
    return await databases.template(service, lambda url: prepare(service, url), sources=sources)


async def until_dead(process: ServiceProcess) -> None:
    """Wait until a process that is to die by itself has died."""

    async def is_dead() -> bool:
        return not process.is_running

    await until(is_dead)
