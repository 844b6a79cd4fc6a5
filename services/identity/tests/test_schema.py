"""The Alembic history makes exactly the tables that the code declares: no more and no less."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from database import Table, migrations
from identity import tables

from .conftest import MIGRATIONS
from .test_first_start import Fresh

OURS = {table.__tablename__ for table in tables.ALL}


def _ours_alone(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in OURS


async def test_the_history_makes_the_tables_that_the_code_declares(fresh_database: Fresh) -> None:
    url = await fresh_database(None)
    assert await migrations.upgrade(url, MIGRATIONS) == ["0001"]
    assert await migrations.upgrade(url, MIGRATIONS) == []

    def differences(connection: Connection) -> object:
        options = {"include_name": _ours_alone, "compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Table.metadata)

    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        checks = await connection.scalar(text("select count(*) from pg_constraint where contype = 'c'"))
        assert (checks or 0) >= 12
    await engine.dispose()
