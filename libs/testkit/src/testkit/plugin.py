"""The pytest fixtures that every package has by installing testkit."""

import contextlib
import functools
import gc
import importlib
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio

from database import Database, raw
from testkit.accounts import leased, purge
from testkit.county import County
from testkit.databases import Shared, Template, TestDatabases
from testkit.frugality import Frugality
from testkit.session import VARIABLE, Session
from testkit.spans import SpanReceiver
from testkit.tokens import TokenIssuer
from webapi import Application

Published = tuple[str, UUID, int, dict[str, Any]]
"""The last words of an event's type, its aggregate's id and version, and its data."""

_PUBLISHED = """
select substring(type from 'xiangqiao\\.\\w+\\.\\w+\\.(.*)'), aggregate_id, aggregate_version,
       (convert_from(payload, 'UTF8')::jsonb->'data')::text
from outbox where split_part(type, '.', 3) = $1 order by id
"""

_OWN_SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run be told what its tests may take."""
    parser.addoption("--most-cpu-seconds", type=float, help="fail when tests take more CPU than this on average")


def pytest_configure(config: pytest.Config) -> None:
    """Open the session in the process that all workers come from; the servers start when a test asks for them."""
    if (most := config.getoption("most_cpu_seconds")) is not None:
        config.pluginmanager.register(Frugality(most))
    # Each new HTTP client reads the certificates of every authority, 30 ms of CPU, and here all speak plain HTTP.
    ssl.create_default_context = functools.cache(ssl.create_default_context)  # type: ignore[assignment]
    os.environ.setdefault("PGSSLMODE", "disable")  # asking a server of ours whether it speaks TLS takes a context too
    with contextlib.suppress(ModuleNotFoundError):  # some packages' tests alone have it
        settings = importlib.import_module("hypothesis").settings
        settings.register_profile("patient", deadline=None)  # a busy machine is no counterexample
        settings.load_profile("patient")
    if VARIABLE not in os.environ:
        session = Session.open(os.getpid())
        config.stash[_OWN_SESSION] = session
        os.environ[VARIABLE] = str(session.directory)


def pytest_collection_finish() -> None:
    """Spare every collection of garbage what has been loaded by now and stays."""
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers, where this process opened the session."""
    session = config.stash.get(_OWN_SESSION, None)
    if session is not None:
        del os.environ[VARIABLE]
        session.close()


@pytest.fixture(scope="session")
def test_session() -> Session:
    """The servers that all workers of this run share."""
    return Session(Path(os.environ[VARIABLE]))


@pytest_asyncio.fixture(scope="session")
async def databases(test_session: Session) -> AsyncIterator[TestDatabases]:
    """The session's PostgreSQL server: templates and databases that hold what they do."""
    facts = test_session.server("postgres")
    made = TestDatabases(port=facts["port"], password=facts["password"])
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session")
async def database_template() -> Template | None:
    """What `database_url` copies. A package's conftest replaces this fixture; here it is an empty database."""
    return None


@pytest_asyncio.fixture
async def database_url(databases: TestDatabases, database_template: Template | None) -> AsyncIterator[str]:
    """The address of a database for this test alone, a copy of `database_template`."""
    async with databases.database(database_template) as url:
        yield url


@pytest_asyncio.fixture
async def fresh_database(databases: TestDatabases) -> AsyncIterator[Callable[[Template | None], Awaitable[str]]]:
    """Make further databases: call it with a template (or None); they are dropped after the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(template: Template | None = None) -> str:
            return await stack.enter_async_context(databases.database(template))

        yield make


@pytest_asyncio.fixture(scope="session")
async def shared_database(databases: TestDatabases, database_template: Template) -> AsyncIterator[Shared]:
    """A copy of the package's template for all tests of its `running` application."""
    async with databases.shared(database_template) as shared:
        yield shared


@pytest_asyncio.fixture
async def application(running: Application, shared_database: Shared) -> AsyncIterator[Application]:
    """The application that the package's conftest keeps `running`; its database is brought back after each test."""
    yield running
    await shared_database.rewind()


@pytest.fixture
def database(application: Application) -> Database:
    """The database of the `application`."""
    return application.database


@pytest_asyncio.fixture
async def county(application: Application, issuer: TokenIssuer) -> AsyncIterator[County]:
    """People of the small tree who speak to the `application`."""
    made = County(application, issuer)
    async with made.http:
        yield made


@pytest_asyncio.fixture
async def identity_outbox(
    fresh_database: Callable[[Template | None], Awaitable[str]], database_template: Template
) -> AsyncIterator[Database]:
    """A database for a worker that publishes as identity does; it needs no more than an outbox."""
    opened = Database(await fresh_database(database_template), application_name="identity")
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def nats_account_url(test_session: Session) -> Iterator[str]:
    """The address of the NATS account that this worker has for itself; tests ask for `nats_url`."""
    facts = test_session.server("nats")
    with leased(test_session.directory, facts["accounts"]) as name:
        yield f"nats://{name}:{name}@127.0.0.1:{facts['port']}"


@pytest_asyncio.fixture
async def nats_url(nats_account_url: str) -> AsyncIterator[str]:
    """The address of a NATS server with JetStream on which no stream exists; what the test makes is deleted."""
    await purge(nats_account_url)
    yield nats_account_url
    await purge(nats_account_url)


@pytest.fixture(scope="session")
def issuer() -> Iterator[TokenIssuer]:
    """An identity provider: `issuer.headers(person_id, [(role, organisation_id)])`, `issuer.jwks_url`."""
    with TokenIssuer() as made:
        yield made


@pytest.fixture
def spans() -> Iterator[SpanReceiver]:
    """A collector for the spans that the test's processes export to `spans.url`."""
    with SpanReceiver() as receiver:
        yield receiver


@pytest.fixture
def published(database: Database) -> Callable[[str], Awaitable[list[Published]]]:
    """Read what the service whose `database` the test has published of an aggregate: `await published("case")`."""

    async def read(aggregate: str) -> list[Published]:
        async with database.read() as session:
            rows = await (await raw(session)).fetch(_PUBLISHED, aggregate)
        return [(what, key, version, orjson.loads(data)) for what, key, version, data in rows]

    return read
