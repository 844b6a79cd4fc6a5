"""The migrations make exactly the tables that the code speaks of, and take them away again."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect, make_url
from sqlalchemy.ext.asyncio import create_async_engine

import activities.participation.tables
import activities.scheduling.tables  # noqa: F401 - declares its tables
from database import Table

from .conftest import MIGRATIONS

OURS = MetaData()
for mapper in Table.registry.mappers:
    if mapper.class_.__module__.startswith("activities."):
        Table.metadata.tables[mapper.class_.__tablename__].to_metadata(OURS)


async def test_the_migrated_tables_are_those_the_code_speaks_of(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return kind != "table" or name in OURS.tables

        options = {"include_name": ours, "compare_type": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), OURS))

    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_the_way_back_leaves_nothing(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def go_back(connection: Connection) -> list[str]:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})

    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        assert await connection.run_sync(go_back) == []
    await engine.dispose()
