"""A members application on a real database, and a province to speak to it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

import orgtree
from contracts.identity import RoleDefinedV1
from database import Database, KeyRing, migrations, new_id
from members.app import SERVICE
from members.settings import Settings
from messaging import Publication
from testkit.databases import Shared, Template, TestDatabases
from testkit.sms import SmsGateway
from testkit.tokens import TokenIssuer
from webapi import Application

from .phones import Post
from .provinces import Province

MIGRATIONS = Path(__file__).parents[1] / "migrations"
KEY_RING, PHONE_KEY = KeyRing.generate(), KeyRing.generate()
ROLES = {
    "registrar": ("members.organisation.read", "members.organisation.establish", "members.file.import"),
    "officer": ("members.organisation.read", "members.file.read"),
    "branch_secretary": ("members.file.read",),
    "audit_administrator": ("members.audit.read",),
}


async def _prepared(url: str) -> None:
    """Migrate, and take over the roles as their events would."""
    await migrations.upgrade(url, MIGRATIONS)
    database = Database(url, application_name="template")
    async with database.transaction() as session:
        defined = [RoleDefinedV1(role_id=new_id(), role=role, permissions=may) for role, may in ROLES.items()]
        await orgtree.HANDLERS[RoleDefinedV1](session, [Publication(event, 1) for event in defined])
    await database.close()


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases) -> Template:
    return await databases.template("members", _prepared, sources=[MIGRATIONS, Path(__file__)])


@pytest.fixture(scope="session")
def settings(shared_database: Shared, issuer: TokenIssuer) -> Settings:
    return Settings(
        database_url=shared_database.url,
        nats_url="nats://127.0.0.1:4222",
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
        sealing_key=KEY_RING,
        phone_key=PHONE_KEY,
    )


@pytest_asyncio.fixture(scope="session")
async def running(settings: Settings) -> AsyncIterator[Application]:
    made = SERVICE.application(settings)
    async with LifespanManager(made):
        yield made


@pytest.fixture
def ring(settings: Settings) -> KeyRing:
    return settings.ring


@pytest_asyncio.fixture
async def province(application: Application, issuer: TokenIssuer) -> AsyncIterator[Province]:
    made = Province(application, issuer)
    async with made.http:
        yield made


@pytest.fixture
def post(database: Database, settings: Settings) -> Iterator[Post]:
    with SmsGateway() as gateway:
        yield Post(database, settings, gateway)
