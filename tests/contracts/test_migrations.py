"""Each service's migrations make exactly the tables that its code declares, found by themselves, and take them away."""

import inspect
import re
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import BigInteger, CheckConstraint

from contracts import SERVICES
from database import migrations, schema_window
from database.migrations import declared_by
from testkit.databases import Template, TestDatabases
from testkit.schemas import differences, left_on_the_way_back

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = [folder.name for folder in sorted((ROOT / "libs").iterdir()) if find_spec(f"{folder.name}.migrations")]
NOT_DECLARABLE = {"uq_registered_organisation_root": "an index over a constant, which keeps the root the only one"}
"""What cannot be declared on a table's columns, with what it is; Alembic finds it as something too many."""

TemplateOf = Callable[[str], Awaitable[Template]]


def tables_of_libraries() -> set[str]:
    """Give the tables that libraries make for the services that use them, from the SQL of their migrations."""
    sources = "".join(inspect.getsource(import_module(f"{library}.migrations")) for library in LIBRARIES)
    return set(re.findall(r"create table (\w+)", sources))


@pytest.mark.parametrize("service", SERVICES)
async def test_the_migrated_tables_are_those_the_code_declares(
    service: str, databases: TestDatabases, template_of: TemplateOf
) -> None:
    declared = declared_by(service)
    async with databases.database(await template_of(service)) as url:
        found = await differences(url, declared)
        connection = await asyncpg.connect(url)
        tables = await connection.fetch(
            "select relname from pg_class where relkind in ('r', 'p') and not relispartition"
            " and relnamespace = 'public'::regnamespace"
        )
        checks = await connection.fetch(
            "select conname from pg_constraint where contype = 'c' and conrelid = any($1::text[]::regclass[])",
            list(declared.tables),
        )
        await connection.close()
    assert [each for each in found if not any(known in each for known in NOT_DECLARABLE)] == []
    assert {row["relname"] for row in tables} - tables_of_libraries() - {
        "alembic_version",
        schema_window.TABLE,
    } == declared.tables.keys()
    assert {row["conname"] for row in checks} == {
        str(check.name)
        for table in declared.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_the_way_back_leaves_nothing(service: str, databases: TestDatabases, template_of: TemplateOf) -> None:
    async with databases.database(await template_of(service)) as url:
        assert await left_on_the_way_back(url, ROOT / "services" / service / "migrations") == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_new_database_takes_every_revision_in_order_and_then_none(
    service: str, databases: TestDatabases, template_of: TemplateOf
) -> None:
    async def leave_empty(_: str) -> None: ...

    folder = ROOT / "services" / service / "migrations"
    empty = await databases.template(service, leave_empty, sources=[Path(__file__)])
    async with databases.database(empty) as url:
        revisions = sorted(file.name[:4] for file in (folder / "versions").glob("0*.py"))
        assert await migrations.upgrade(url, folder) == revisions
        assert await migrations.upgrade(url, folder) == []


def test_what_the_gateway_keeps_by_version_takes_versions_of_64_bits() -> None:
    tables = declared_by("gateway").tables.values()
    columns = [table.columns["version"] for table in tables if "version" in table.columns]
    assert len(columns) >= 3
    assert all(isinstance(column.type, BigInteger) for column in columns)
