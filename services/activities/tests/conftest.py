"""An application of activities on a real database with a small tree, and people to speak to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.app import create_application
from activities.settings import Settings
from database import Database, migrations
from testkit.county import County, plant
from testkit.databases import Template, TestDatabases
from testkit.tokens import TokenIssuer
from webapi import Application

MIGRATIONS = Path(__file__).parents[1] / "migrations"
ROLES = {
    "officer": ("activities.activity.read",),
    "branch_secretary": (
        "activities.activity.read",
        "activities.activity.schedule",
        "activities.attendance.record",
    ),
}


async def _prepared(url: str) -> None:
    """Migrate, and take over roles and a tree as their events would bring them."""
    await migrations.upgrade(url, MIGRATIONS)
    database = Database(url, application_name="template")
    async with database.transaction() as session:
        await plant(session, ROLES)
    await database.close()


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("activities", _prepared, sources=[MIGRATIONS, Path(__file__).parent])


@pytest.fixture
def settings(database_url: str, issuer: TokenIssuer) -> Settings:
    return Settings(
        database_url=database_url,
        nats_url="nats://127.0.0.1:4222",
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
    )


@pytest_asyncio.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    made = create_application(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def database(application: Application) -> Database:
    return application.database


@pytest_asyncio.fixture
async def county(application: Application, issuer: TokenIssuer) -> AsyncIterator[County]:
    made = County(application, issuer)
    async with made.http:
        yield made
