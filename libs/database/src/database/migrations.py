"""Alembic for every service: the same environment, one migrator at a time, and a clear word on a wrong version."""

import asyncio
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from database import schema_window
from database.table import NAMING_CONVENTION, Table

_LOCK = 0x5869616E6771  # one advisory lock for all migrators of a database; any constant will do
_TURN_SECONDS: Final = 0.2
LOCK_SECONDS: Final = 2
"""How long a statement of a revision waits for a table: whoever comes after it waits as long."""
LOCK_TRIES: Final = 20
LOCK_PAUSE_SECONDS: Final = 1.0
_LOCK_NOT_AVAILABLE: Final = "55P03"

T = TypeVar("T")


class WrongDataVersion(Exception):
    """The database was written by another version of this service than the code that opens it."""


class Behind(WrongDataVersion):
    """The database is yet to be migrated to this version."""


class CannotMigrate(Exception):
    """What is running now keeps a revision from being applied; says what, and what to do. Nothing of it was done."""


class Found(NamedTuple):
    """What a database tells of itself: its revision, and the oldest code that may run on it; None: nothing."""

    revision: str | None
    oldest_code: str | None


def _configuration(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _line(script: ScriptDirectory) -> list[Script]:
    """Give the revisions of a service, newest first."""
    return list(script.walk_revisions())


async def _on(url: str, act: Callable[[Connection], T]) -> T:
    """Do it on a connection to the database at `url`; it commits itself."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()


def _read(connection: Connection) -> Found:
    return Found(MigrationContext.configure(connection).get_current_revision(), schema_window.read(connection))


async def read(url: str) -> Found:
    """Give what the database at `url` tells of itself."""
    return await _on(url, _read)


async def upgrade(url: str, folder: Path) -> list[str]:
    """Bring the database at `url` to the newest revision in `folder` (a service's `migrations/`).

    Each revision has a transaction of its own, and its statements wait two seconds for a lock: it is tried again, up
    to twenty times. Returns the revisions applied, oldest first: none when it was current, or ahead of this code and
    still open to it. Raises `WrongDataVersion` when it is no more, `CannotMigrate` when a lock is not to be had or a
    contract would take from older code that runs what it needs.
    """
    config = _configuration(folder)
    line = _line(ScriptDirectory.from_config(config))
    return await _on(url, lambda connection: _upgrade(connection, config, line))


def _upgrade(connection: Connection, config: Config, line: list[Script]) -> list[str]:
    _wait_for_turn(connection)
    found = _read(connection)
    if _is_ahead(found, line):
        return []
    schema_window.make(connection, line[-1].revision)
    connection.commit()
    config.attributes["connection"] = connection
    pending = list(takewhile(lambda revision: revision.revision != found.revision, line))[::-1]
    for revision in pending:
        _refuse_beside_older_code(connection, revision, line)
        _apply(connection, config, revision.revision)
    return [revision.revision for revision in pending]


def _wait_for_turn(connection: Connection) -> None:
    """Take the migrators' lock for the session, by no statement that waits: who makes an index waits for those."""
    while not connection.scalar(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}):
        connection.commit()
        await_only(asyncio.sleep(_TURN_SECONDS))


def _refuse_beside_older_code(connection: Connection, revision: Script, line: list[Script]) -> None:
    oldest = schema_window.oldest_code_of(revision)
    if not schema_window.is_contract(revision) or oldest is None:
        return
    older = schema_window.older_code(connection, [each.revision for each in line], oldest)
    connection.commit()
    if older:
        raise CannotMigrate(
            f"revision {revision.revision} takes away what code before {oldest} needs, and {', '.join(older)} runs; "
            "end it, then migrate again"
        )


def _apply(connection: Connection, config: Config, revision: str) -> None:
    """Apply one revision, again while others keep a lock."""
    for _ in range(LOCK_TRIES):
        connection.execute(text(f"set lock_timeout = '{LOCK_SECONDS}s'"))  # a revision may change it
        connection.commit()
        try:
            command.upgrade(config, revision)
        except DBAPIError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
        else:
            connection.commit()
            return
        await_only(asyncio.sleep(LOCK_PAUSE_SECONDS))
    raise CannotMigrate(
        f"revision {revision} got no lock in {LOCK_TRIES} tries of {LOCK_SECONDS} s; end what holds one "
        "(pg_stat_activity tells), then migrate again"
    )


def head_of(folder: Path) -> str:
    """Give the newest revision in `folder`."""
    return str(ScriptDirectory.from_config(_configuration(folder)).get_current_head())


async def check(url: str, folder: Path) -> None:
    """Return if code of the newest revision in `folder` may run on the database at `url`.

    It may on that revision, and on a later one whose oldest code it knows. Raises `Behind` before that revision, and
    `WrongDataVersion`.
    """
    line = _line(ScriptDirectory.from_config(_configuration(folder)))
    found, head = await read(url), line[0].revision
    if found.revision != head and not _is_ahead(found, line):
        raise Behind(f"the database is at revision {found.revision}, this version needs {head}; migrate first")


def _is_ahead(found: Found, line: list[Script]) -> bool:
    """Whether a later release wrote the database; raises `WrongDataVersion` when it is closed to this one."""
    known = {revision.revision for revision in line}
    if found.revision is None or found.revision in known:
        return False
    if found.oldest_code in known:
        return True
    raise WrongDataVersion(
        f"the database is at revision {found.revision}, which this version does not know, so a newer one wrote it; "
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
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=schema_window.narrow,
    )
    with context.begin_transaction():
        context.run_migrations()
