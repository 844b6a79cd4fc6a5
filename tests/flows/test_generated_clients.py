"""Clients that are made of the running system's document go through the journey as they were made, in two languages.

A document in which one field is called otherwise makes both fail: they hold to the names that they are given.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.flows.conftest import System
from tests.outside.node import installed, run

CONFORMANCE = Path(__file__).parents[1] / "conformance"
JOURNEYS = CONFORMANCE / "generated"
PYTHON = Path(__file__).parents[2] / ".venvs" / "openapi-python-client" / "bin"
PEOPLE = ("officer.demo", "officer.neighbour", "secretary.demo", "away.demo", "member.demo", "villager.demo")
DONE = {
    "the own subtree and nothing beside it",
    "one attendance, online and on paper",
    "help that reaches the branch",
    "a case, answered and confirmed",
    "the county's figures",
}
RUN = 'import { journey } from "./journey.mjs"; import { readFileSync } from "node:fs"; '
RUN += 'await journey(JSON.parse(readFileSync(0, "utf8")));'


@pytest_asyncio.fixture(scope="module")
async def told(system: System) -> dict[str, Any]:
    """What the programs need to know: where the system is, and everybody's token."""
    tokens = {}
    for name in PEOPLE:
        async with system.person(name) as person:
            tokens[name] = await person.token()
    loaded = system.seeded
    places = {"county": str(loaded.county_id), "beside": str(loaded.neighbour_id), "branch": str(loaded.branch_id)}
    return {"url": system.url, "tokens": tokens, "away": system.person_id("away.demo"), **places}


@pytest_asyncio.fixture(scope="module")
async def document(system: System) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


@pytest.fixture
def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a system whose homes call the subject of an item otherwise."""
    other: dict[str, Any] = json.loads(json.dumps(document))
    item = other["components"]["schemas"]["HomeItemOut"]
    item["properties"]["thing_id"] = item["properties"].pop("subject_id")
    item["required"] = ["thing_id" if name == "subject_id" else name for name in item["required"]]
    return other


async def made(command: list[str], folder: Path) -> None:
    status, output = await run(command, folder)
    assert (status, "WARNING" in output) == (0, False), output


async def in_typescript(document: dict[str, Any], folder: Path) -> tuple[int, str]:
    """Make a client of the document, and compile the journey through it; give the compiler's status and words."""
    (folder / "node_modules").symlink_to(await installed(CONFORMANCE / "document") / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(document), "utf-8")
    for name in ("journey.mts", "tsconfig.json"):
        shutil.copy(JOURNEYS / name, folder)
    await made(
        [
            "npx",
            "--no-install",
            "openapi-typescript",
            "openapi.json",
            "--default-non-nullable=false",
            "-o",
            "schema.d.ts",
        ],
        folder,
    )
    return await run(["npx", "--no-install", "tsc"], folder)


async def in_python(document: dict[str, Any], folder: Path, told: dict[str, Any]) -> tuple[int, str]:
    """Make a client of the document, and go through the journey with it; give the status and what is written."""
    (folder / "openapi.json").write_text(json.dumps(document), "utf-8")
    shutil.copy(JOURNEYS / "journey.py", folder)
    made_by = [str(PYTHON / "openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none"]
    await made([*made_by, "--config", str(JOURNEYS / "openapi-python-client.yaml")], folder)
    return await run([str(PYTHON / "python"), "journey.py"], folder, told=told)


def done(output: str) -> set[str]:
    return {line.removeprefix("ok: ") for line in output.splitlines() if line.startswith("ok: ")}


async def test_a_typescript_client_goes_through_the_journey(
    document: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    status, output = await in_typescript(document, tmp_path)
    assert status == 0, output
    status, output = await run(["node", "--input-type=module", "-e", RUN], tmp_path, told=told)
    assert (status, done(output)) == (0, DONE), output


async def test_a_python_client_goes_through_the_journey(
    document: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    status, output = await in_python(document, tmp_path, told)
    assert (status, done(output)) == (0, DONE), output


async def test_a_field_that_is_called_otherwise_stops_both(
    renamed: dict[str, Any], told: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("typescript", "python"):
        (tmp_path / name).mkdir()
    status, output = await in_typescript(renamed, tmp_path / "typescript")
    assert (status, "Property 'subject_id' does not exist" in output) == (2, True), output
    status, output = await in_python(renamed, tmp_path / "python", told)
    assert (status, "KeyError: 'thing_id'" in output) == (1, True), output
