"""The portal on the whole system, whom its tests sign in, and the browser."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.browser.conftest import chromium as chromium  # noqa: PLC0414 - a fixture that is asked for here, too
from tests.flows.conftest import DEMO_PASSWORD, System, opened_system
from tests.outside.node import installed, run

HERE = Path(__file__).parent
BROWSER = HERE.parent / "browser"
ROOT = HERE.parents[1]
PEOPLE = ("away", "member", "villager", "secretary", "officer", "helper")
SECONDS = 1800
CODES = 4
"""Of ten: how often an officer can sign in from nothing in one program."""

UNSENT = {"waiting", "sending"}

Performed = Callable[..., Awaitable[tuple[int, str]]]
Seen = dict[str, dict[str, Any]]


_FIRST = ("test_screens.py", "test_pages.py")
"""What takes longest, so that no worker is left with it alone in the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin."""
    items.sort(key=lambda item: _FIRST.index(item.path.name) if item.path.name in _FIRST else len(_FIRST))


@pytest_asyncio.fixture(scope="session")
async def built() -> Path:
    """Give the folder of the built portal; the test fails where it cannot be built."""
    building = await asyncio.create_subprocess_exec(ROOT / ".ci" / "portal")
    assert await building.wait() == 0
    folder = ROOT / ".cache" / "portal"
    missing = folder / "missing"
    if missing.exists():
        pytest.fail(f"the portal is missing: {missing.read_text()}", pytrace=False)
    return folder


@pytest_asyncio.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Give the people of each file a county of their own: what is done once there is not to be done again."""
    async with opened_system(tmp_path_factory) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def perform(built: Path, system: System, chromium: str) -> Performed:
    """Give what runs a program of this folder in Node against the system, and gives its status and what it wrote."""
    folder = await installed(BROWSER, scripts=[HERE])
    people = {name: f"{name}.demo" for name in PEOPLE}
    told = {"url": system.url, "chromium": chromium, "password": DEMO_PASSWORD, "people": people}

    async def performed(program: str, *, seconds: float = SECONDS, **more: Any) -> tuple[int, str]:
        codes = {name: _recovery_codes(system, name) for name in people.values()}
        return await run(["node", program], folder, told={**told, "codes": codes, **more}, seconds=seconds)

    return performed


def _recovery_codes(system: System, username: str) -> list[str]:
    """Give codes that stand in for somebody's app: one of the app is good once, and the next is half a minute away."""
    app = system.authenticators.of(username)
    return [app.spare.pop() for _ in range(min(CODES, len(app.spare)))] if app is not None else []


async def journeyed(perform: Performed, program: str, **told: Any) -> Seen:
    """Give what each journey of a program saw, by its name; none had a script error or broke the page's policy.

    `ONLY=taps,words` lets those alone take place that have one of these in their names.
    """
    status, output = await perform(program, only=os.environ.get("ONLY", ""), **told)
    assert status == 0, output
    journeys = {each.pop("journey"): each for each in map(json.loads, output.splitlines())}
    bad = {name: [*filter(None, [each.get("failed")]), *each.pop("problems", [])] for name, each in journeys.items()}
    assert not any(bad.values()), "\n".join(
        f"{name}: {one}" for name, all_ in bad.items() for one in dict.fromkeys(all_)
    )
    return journeys
