"""Programs of the npm registry: installed from a lock file once, run with Node, told what they need by JSON."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

CACHE = Path(__file__).parents[2] / ".cache" / "npm"
DECLARATIONS = ("package.json", "package-lock.json", ".npmrc")
OLDEST = 20


async def installed(folder: Path, *, scripts: Sequence[Path] = ()) -> Path:
    """Give a folder with the packages that `folder` locks and its scripts, and those of the folders `scripts`.

    It is made by `npm ci` where it is not there yet.

    Without Node and npm the test is skipped and says so; with XIANGQIAO_REQUIRE_NODE=1 it fails.
    """
    await _require_node()
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in DECLARATIONS)).hexdigest()
    place = CACHE / f"{folder.name}-{digest[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{place.name}.lock").open("w") as lock:  # other workers ask for it at the same moment
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            _declare(folder, place)
            status, output = await run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], place, seconds=120)
            if status != 0:
                pytest.fail(f"npm ci in {place} ended with {status}: {output[-2000:]}", pytrace=False)
            (place / "complete").touch()
        for script in (each for place_of in (folder, *scripts) for each in sorted(place_of.glob("*.mjs"))):
            copy = place / script.name
            if not copy.exists() or copy.read_bytes() != script.read_bytes():
                shutil.copy(script, copy)
    return place


def _declare(folder: Path, place: Path) -> None:
    """Leave the declarations alone in a place."""
    shutil.rmtree(place)
    place.mkdir()
    for name in DECLARATIONS:
        shutil.copy(folder / name, place / name)


async def run(
    command: list[str], folder: Path, *, told: Mapping[str, Any] | None = None, seconds: float = 60
) -> tuple[int, str]:
    """Run a command in `folder` with `told` as JSON on its standard input; give its status and all it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        if told is not None
        else None,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(json.dumps(told or {}).encode()), seconds)
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
        return -1, f"not done in {seconds} s: {output.decode()}"
    return process.returncode or 0, output.decode()


async def _require_node() -> None:
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        _give_up(f"{' and '.join(missing)} not found: install Node.js {OLDEST} or newer with npm")
    _, version = await run(["node", "--version"], Path.cwd())
    if int(version.strip().removeprefix("v").partition(".")[0]) < OLDEST:
        _give_up(f"Node.js {version.strip()} is too old: install {OLDEST} or newer")


def _give_up(why: str) -> NoReturn:
    if os.environ.get("XIANGQIAO_REQUIRE_NODE") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
