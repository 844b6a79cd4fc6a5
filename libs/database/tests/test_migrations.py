"""Migrations run once, whoever asks, and a database of another version is refused."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from database import asyncpg_dsn, migrations

ENVIRONMENT = "from database import migrations\n\nmigrations.run_environment('database')\n"
REVISION = """
from contextlib import nullcontext
from alembic import op
revision = "{number:04}"
down_revision = {previous!r}
{said}
def upgrade():
    with {block}:
        op.execute("{does}")
"""


def write(at: Path, number: int, said: str = "", *, does: str = "", block: str = "nullcontext()") -> Path:
    """Write a revision that makes a table or `does` something else, and says so of itself; gives the folder."""
    previous = f"{number - 1:04}" if number > 1 else None
    does = does or f"create table made_{number:04} (id int)"
    text = REVISION.format(number=number, previous=previous, said=said, does=does, block=block)
    (at / "versions" / f"{number:04}.py").write_text(text)
    return at


def folder(at: Path, revisions: int, said: str = "") -> Path:
    """Make a service's migrations with so many revisions, the last of which says this of itself."""
    (at / "versions").mkdir(parents=True)
    (at / "env.py").write_text(ENVIRONMENT)
    for number in range(1, revisions + 1):
        write(at, number, said if number == revisions else "")
    return at


async def test_several_that_migrate_at_once_apply_each_revision_once(database_url: str, tmp_path: Path) -> None:
    versions = folder(tmp_path, 2)
    applied = await asyncio.gather(*(migrations.upgrade(database_url, versions) for _ in range(3)))
    assert sorted(map(len, applied)) == [0, 0, 2]
    await migrations.check(database_url, versions)


async def test_data_of_a_later_version_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    later, earlier = folder(tmp_path / "later", 2, 'OLDEST_CODE = "0002"'), folder(tmp_path / "earlier", 1)
    await migrations.upgrade(database_url, later)
    for refusing in (migrations.upgrade, migrations.check):
        with pytest.raises(migrations.WrongDataVersion, match=r"0002.*install the newer release") as refusal:
            await refusing(database_url, earlier)
        assert "migrate first" not in str(refusal.value)


async def test_a_revision_that_fails_leaves_nothing_behind_but_those_before_it(
    database_url: str, tmp_path: Path
) -> None:
    versions = folder(tmp_path, 2)
    with (versions / "versions" / "0002.py").open("a") as failing:
        failing.write('    op.execute("create table wrong (id nonsense)")\n')
    with pytest.raises(Exception, match="nonsense"):
        await migrations.upgrade(database_url, versions)
    assert (await migrations.read(database_url)).revision == "0001"
    connection = await asyncpg.connect(asyncpg_dsn(database_url))
    assert await connection.fetchval("select to_regclass('made_0002')") is None
    await connection.close()
