"""Code of before runs on a schema that was only widened; what takes away waits until nobody needs it."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from libs.database.tests.test_migrations import folder, write

from database import Database, asyncpg_dsn, migrations, schema_window

EXPAND = 'PHASE = "expand"\nOLDEST_CODE = "0001"\n'
CONTRACT = 'PHASE = "contract"\nOLDEST_CODE = "0002"\n'


async def value(url: str, query: str) -> object:
    connection = await asyncpg.connect(asyncpg_dsn(url))
    found = await connection.fetchval(query)
    await connection.close()
    return found


@pytest.mark.parametrize("said", ["", EXPAND])
async def test_code_of_before_runs_on_a_wider_schema_and_finds_nothing_to_migrate(
    database_url: str, tmp_path: Path, said: str
) -> None:
    before, after = folder(tmp_path / "before", 1), folder(tmp_path / "after", 2, said)
    await migrations.upgrade(database_url, after)
    await migrations.check(database_url, before)
    assert await migrations.upgrade(database_url, before) == []
    assert (await migrations.read(database_url)).revision == "0002"


async def test_code_older_than_a_contract_is_refused_and_the_code_that_it_allows_runs(
    database_url: str, tmp_path: Path
) -> None:
    oldest, before = folder(tmp_path / "oldest", 1), folder(tmp_path / "before", 2)
    after = write(folder(tmp_path / "after", 2), 3, CONTRACT)
    await migrations.upgrade(database_url, after)
    await migrations.check(database_url, before)
    for refusing in (migrations.upgrade, migrations.check):
        with pytest.raises(migrations.WrongDataVersion, match=r"0003.*install the newer release"):
            await refusing(database_url, oldest)


async def test_a_contract_that_names_no_code_allows_its_own_alone(database_url: str, tmp_path: Path) -> None:
    await migrations.upgrade(database_url, folder(tmp_path, 2, 'PHASE = "contract"\n'))
    assert (await migrations.read(database_url)).oldest_code == "0002"


async def test_a_database_that_is_behind_or_tells_nothing_is_not_open(database_url: str, tmp_path: Path) -> None:
    before, after = folder(tmp_path / "before", 1), folder(tmp_path / "after", 2)
    with pytest.raises(migrations.Behind, match=r"None.* needs 0001; migrate first"):
        await migrations.check(database_url, before)
    await migrations.upgrade(database_url, before)
    with pytest.raises(migrations.Behind, match=r"0001.* needs 0002; migrate first"):
        await migrations.check(database_url, after)
    await migrations.upgrade(database_url, after)
    await value(database_url, f"drop table {schema_window.TABLE}")
    with pytest.raises(migrations.WrongDataVersion, match="install the newer release"):
        await migrations.check(database_url, before)


async def test_a_contract_waits_for_older_code_to_leave_and_names_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = write(folder(tmp_path, 2), 3, CONTRACT)
    running = []
    for runs_as in ("api/0001", "worker/0002", "api/0004"):
        monkeypatch.setattr(Database, "runs_as", runs_as)
        running.append(Database(database_url, application_name="orchard", pool_size=1))
    for database in running:
        await database.ping()
    with pytest.raises(migrations.CannotMigrate, match=r"0003 .* before 0002 needs, and orchard/api/0001 runs; end it"):
        await migrations.upgrade(database_url, after)
    assert (await migrations.read(database_url)).revision == "0002", "what widens was not held back"
    await running[0].close()
    async with asyncio.timeout(10):
        while not await gone(database_url, "orchard/api/0001"):
            await asyncio.sleep(0.05)
    assert await migrations.upgrade(database_url, after) == ["0003"]
    for database in running[1:]:
        await database.close()


async def gone(url: str, name: str) -> bool:
    return await value(url, f"select count(*) from pg_stat_activity where application_name = '{name}'") == 0  # noqa: S608


async def test_a_revision_waits_for_a_lock_in_short_tries_and_others_pass_meanwhile(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", "0.2")
    monkeypatch.setattr(migrations, "LOCK_TRIES", 3)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_SECONDS", 0.5)
    versions = folder(tmp_path, 1)
    await migrations.upgrade(database_url, versions)
    write(versions, 2, does="alter table made_0001 add column name text")
    holder = await asyncpg.connect(asyncpg_dsn(database_url))
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("lock table made_0001 in access share mode")
    with pytest.raises(migrations.CannotMigrate, match=r"0002 got no lock in 3 tries"):
        await migrations.upgrade(database_url, versions)
    migrating = asyncio.create_task(migrations.upgrade(database_url, versions))
    await asyncio.sleep(0.3)
    await transaction.rollback()
    assert await migrating == ["0002"]
    await holder.close()


async def test_an_index_is_made_beside_other_work_while_another_migrator_waits(
    database_url: str, tmp_path: Path
) -> None:
    versions = folder(tmp_path, 1)
    await migrations.upgrade(database_url, versions)
    index = "create index concurrently ix_made on made_0001 (id)"
    write(versions, 2, does=index, block="op.get_context().autocommit_block()")
    applied = await asyncio.gather(*(migrations.upgrade(database_url, versions) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, 1]
    assert await value(database_url, "select indisvalid from pg_index where indexrelid = 'ix_made'::regclass")
