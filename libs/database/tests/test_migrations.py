"""Migrations run once, whoever asks, and a database of another version is refused."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from database import asyncpg_dsn, migrations

ENVIRONMENT = "from database import migrations\n\nmigrations.run_environment('database')\n"
REVISION = """
from alembic import op
revision = "{number}"
down_revision = {previous!r}
def upgrade():
    op.execute("create table made_{number} (id int)")
"""


def folder(at: Path, revisions: int) -> Path:
    (at / "versions").mkdir(parents=True)
    (at / "env.py").write_text(ENVIRONMENT)
    for number in range(1, revisions + 1):
        previous = f"{number - 1:04}" if number > 1 else None
        (at / "versions" / f"{number:04}.py").write_text(REVISION.format(number=f"{number:04}", previous=previous))
    return at


async def test_several_that_migrate_at_once_apply_each_revision_once(database_url: str, tmp_path: Path) -> None:
    versions = folder(tmp_path, 2)
    applied = await asyncio.gather(*(migrations.upgrade(database_url, versions) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, 2]
    await migrations.check(database_url, versions)


async def test_data_of_a_later_version_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    later, earlier = folder(tmp_path / "later", 2), folder(tmp_path / "earlier", 1)
    await migrations.upgrade(database_url, later)
    for refusing in (migrations.upgrade, migrations.check):
        with pytest.raises(migrations.WrongDataVersion, match=r"0002.*install the newer release") as refusal:
            await refusing(database_url, earlier)
        assert "migrate first" not in str(refusal.value)


async def test_data_of_an_earlier_version_is_to_be_migrated(database_url: str, tmp_path: Path) -> None:
    later, earlier = folder(tmp_path / "later", 2), folder(tmp_path / "earlier", 1)
    await migrations.upgrade(database_url, earlier)
    with pytest.raises(migrations.WrongDataVersion, match=r"0001.* needs 0002; migrate first"):
        await migrations.check(database_url, later)


async def test_a_revision_that_fails_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    versions = folder(tmp_path, 2)
    (versions / "versions" / "0002.py").write_text(
        REVISION.format(number="0002", previous="0001").replace("id int", "id nonsense")
    )
    with pytest.raises(Exception, match="nonsense"):
        await migrations.upgrade(database_url, versions)
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    assert await connection.fetchval("select to_regclass('made_0001')") is None
    await connection.close()
