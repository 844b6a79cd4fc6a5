"""Alembic for every service: the same environment, one migrator at a time, and a clear word on a wrong version."""

from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from database.table import NAMING_CONVENTION, Table

_LOCK = 0x5869616E6771  # one advisory lock for all migrators of a database; any constant will do


class WrongDataVersion(Exception):
    """The database was written by another version of this service than the code that opens it."""


def _configuration(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


async def upgrade(url: str, folder: Path) -> list[str]:
    """Bring the database at `url` to the newest revision in `folder` (a service's `migrations/`).

    Returns the revisions applied, oldest first: none when it was current. Raises `WrongDataVersion` when the database
    holds a revision this code does not know.
    """
    config = _configuration(folder)
    script = ScriptDirectory.from_config(config)
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    applied: list[str] = []

    def run(connection: Connection) -> None:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        present = MigrationContext.configure(connection).get_current_revision()
        if present == script.get_current_head():
            return
        try:
            applied.extend(r.revision for r in script.iterate_revisions(script.get_current_head(), present or "base"))
        except (CommandError, ResolutionError) as error:
            raise WrongDataVersion(_newer(present)) from error
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
    return applied[::-1]


def head_of(folder: Path) -> str:
    """Give the newest revision in `folder`."""
    return str(ScriptDirectory.from_config(_configuration(folder)).get_current_head())


async def check(url: str, folder: Path) -> None:
    """Raise `WrongDataVersion` unless the database at `url` is at the newest revision in `folder`."""
    script = ScriptDirectory.from_config(_configuration(folder))
    head = script.get_current_head()
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            present = await connection.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())
    finally:
        await engine.dispose()
    if present == head:
        return
    if present is not None and present not in {revision.revision for revision in script.walk_revisions()}:
        raise WrongDataVersion(_newer(present))
    raise WrongDataVersion(f"the database is at revision {present}, this version needs {head}; migrate first")


def _newer(present: str | None) -> str:
    return (
        f"the database is at revision {present}, which this version does not know, so a newer one wrote it; "
        "install the newer release"
    )


@cache
def declared_by(package: str) -> MetaData:
    """Give the tables that the `tables` modules of a service declare, without those of other packages."""
    root = Path(import_module(package).__path__[0])
    for file in sorted(root.rglob("tables.py")):
        import_module(".".join((package, *file.relative_to(root).with_suffix("").parts)))
    declared = MetaData(naming_convention=NAMING_CONVENTION)
    for mapper in Table.registry.mappers:
        if mapper.class_.__module__.startswith(f"{package}."):
            Table.metadata.tables[mapper.class_.__tablename__].to_metadata(declared)
    return declared


def run_environment(package: str) -> None:
    """Be a service's `migrations/env.py`: run on the connection `upgrade` brings, or print SQL when offline."""
    metadata = declared_by(package)
    connection = context.config.attributes.get("connection")
    if connection is None:
        context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    context.run_migrations()
