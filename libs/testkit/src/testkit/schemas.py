"""Whether a service's migrations make what its code declares, and take it away again."""

from collections.abc import Iterator
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from database import schema_window


async def differences(url: str, declared: MetaData) -> list[str]:
    """Say in what the migrated tables at `url` differ from those declared."""

    def compared(connection: Connection) -> Iterator[str]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return kind != "table" or name in declared.tables

        options = {"include_name": ours, "compare_type": True, "compare_server_default": True}
        for found in compare_metadata(MigrationContext.configure(connection, opts=options), declared):
            yield str(found)

    engine = _engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: list(compared(sync)))
    await engine.dispose()
    return found


async def left_on_the_way_back(url: str, migrations: Path) -> list[str]:
    """Take each migration back, do it again and take it back, from the last to the first; name the tables left."""
    config = Config()
    config.set_main_option("script_location", str(migrations))

    def go_back(connection: Connection) -> list[str]:
        config.attributes["connection"] = connection
        for _ in ScriptDirectory.from_config(config).walk_revisions():
            command.downgrade(config, "-1")
            command.upgrade(config, "+1")
            command.downgrade(config, "-1")
        return sorted(set(inspect(connection).get_table_names()) - {"alembic_version", schema_window.TABLE})

    engine = _engine(url)
    async with engine.connect() as connection:  # each migration has transactions of its own
        left = await connection.run_sync(go_back)
    await engine.dispose()
    return left


def _engine(url: str) -> AsyncEngine:
    return create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
