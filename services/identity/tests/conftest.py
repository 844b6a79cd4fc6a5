"""An identity service on a real database, once for all tests; a template of what it first makes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

import orgtree
from contracts.identity import RoleDefinedV1
from database import Database, migrations, utc_now
from identity import app
from identity.credentials import passwords
from identity.credentials.passwords import Passwords
from identity.first_start import prepare
from identity.roles.tables import RoleDefinition
from identity.signing.keys import SigningKeys
from messaging import Publication
from testkit.databases import Template, TestDatabases

from .front_end import FrontEnd
from .phones import Phones, phones_of
from .provider import ADMINISTRATOR_PASSWORD, QUICK, Provider, ring, running

MIGRATIONS = Path(__file__).parents[1] / "migrations"


async def _prepared(url: str) -> None:
    """Migrate, make what the first start makes, and take over the roles as their events would."""
    await migrations.upgrade(url, MIGRATIONS)
    database, hashing, keys = Database(url, application_name="template"), Passwords(), SigningKeys(ring())
    secret, now = ADMINISTRATOR_PASSWORD, utc_now()
    await prepare(database, hashing, keys, issuer="http://127.0.0.1", bootstrap_password=secret, now=now)
    async with database.transaction() as session:
        roles = await session.scalars(select(RoleDefinition))
        defined = [RoleDefinedV1(role_id=r.role_id, role=r.role, permissions=tuple(r.permissions)) for r in roles]
        await orgtree.HANDLERS[RoleDefinedV1](session, [Publication(event, 1) for event in defined])
    hashing.close()
    await database.close()


@pytest.fixture(scope="session", autouse=True)
def quick_hashing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", QUICK)
        patch.setattr(app, "hasher", lambda _: QUICK)
        yield


@pytest_asyncio.fixture(scope="session")
async def database_template(databases: TestDatabases, quick_hashing: None) -> Template:
    return await databases.template("identity", _prepared, sources=[MIGRATIONS])


@pytest_asyncio.fixture(scope="session")
async def provider(databases: TestDatabases, database_template: Template) -> AsyncIterator[Provider]:
    """One identity for all tests; each opens people of its own."""
    async with databases.database(database_template) as url, running(url) as started:
        yield started


@pytest.fixture
def front_end(provider: Provider) -> FrontEnd:
    return provider.front_end()


@pytest_asyncio.fixture(scope="session")
async def phones(provider: Provider) -> AsyncIterator[Phones]:
    """The phones of all people of the provider."""
    async with phones_of(provider) as reached:
        yield reached
