"""An application of learning on a real database with a small tree, and people to speak to it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from learning.app import SERVICE
from testkit.county import prepare
from testkit.databases import Shared, Template, TestDatabases
from testkit.tokens import TokenIssuer
from webapi import Application, ServiceSettings

MIGRATIONS = Path(__file__).parents[1] / "migrations"
ROLES = {
    "officer": ("learning.needs.read",),
    "branch_secretary": ("learning.needs.read",),
    "registrar": ("learning.course.publish",),
}


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    prepared = partial(prepare, folder=MIGRATIONS, roles=ROLES)
    return await databases.template("learning", prepared, sources=[MIGRATIONS, Path(__file__).parent])


@pytest.fixture(scope="session")
def settings(shared_database: Shared, issuer: TokenIssuer) -> ServiceSettings:
    return ServiceSettings(
        database_url=shared_database.url,
        nats_url="nats://127.0.0.1:4222",
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
    )


@pytest_asyncio.fixture(scope="session")
async def running(settings: ServiceSettings) -> AsyncIterator[Application]:
    made = SERVICE.application(settings)
    async with made.router.lifespan_context(made):
        yield made
