"""The small service of these tests, on a migrated database of its own for each test."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from database import migrations, new_id
from testkit.databases import Template, TestDatabases
from testkit.tokens import TokenIssuer
from webapi import Application

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))  # the small service is also started as a process, by its path from there

from libs.webapi.tests.orchard.application import Settings, create_application  # noqa: E402 - found only from here on

MIGRATIONS = HERE / "orchard" / "migrations"


@pytest.fixture(scope="session")
def issuer() -> Iterator[TokenIssuer]:
    """An identity provider whose clients may do everything in the small service."""
    with TokenIssuer(scope="openid orchard.read orchard.write") as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    async def migrate(url: str) -> None:
        await migrations.upgrade(url, MIGRATIONS)

    return await databases.template("orchard", migrate, sources=[MIGRATIONS])


@pytest.fixture
def settings(database_url: str, issuer: TokenIssuer) -> Settings:
    return Settings(
        database_url=database_url, nats_url="nats://127.0.0.1:1", issuer=issuer.issuer, jwks_url=issuer.jwks_url
    )


@pytest_asyncio.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    application = create_application(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture
async def client(application: Application) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://orchard.test") as client:
        yield client


@pytest.fixture
def person() -> UUID:
    return new_id()


@pytest.fixture
def headers(issuer: TokenIssuer, person: UUID) -> dict[str, str]:
    """The headers of a gardener."""
    return issuer.headers(person, [("tree", new_id())])
