"""What the tests of all services together share: a database migrated as a service's is, by the service's name."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from database import migrations
from testkit.databases import Template, TestDatabases

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def template_of(databases: TestDatabases) -> Callable[[str], Awaitable[Template]]:
    """Give the template of a service, migrated from its own folder."""

    async def template(service: str) -> Template:
        folder = ROOT / "services" / service / "migrations"
        sources = [folder, Path(__file__)]  # nothing more is in it: no other's template of the same migrations
        return await databases.template(service, lambda url: migrations.upgrade(url, folder), sources=sources)

    return template
