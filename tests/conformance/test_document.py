"""Spectral, with its own rules and OWASP's, finds nothing in the released document, and finds what is put in."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.outside.node import installed, run

HERE = Path(__file__).parent / "document"
RELEASED = Path(__file__).parents[2] / "docs" / "openapi-v1.json"


async def findings(folder: Path, document: dict[str, Any]) -> set[str]:
    """Give the codes of the rules that the document breaks."""
    packages = await installed(HERE)
    shutil.copy(HERE / "spectral.yaml", packages)
    file, found = folder / "openapi.json", folder / "found.json"
    file.write_text(json.dumps(document), "utf-8")
    command = ["npx", "--no-install", "spectral", "lint", "-r", "spectral.yaml", "-f", "json", "-q", "-o", str(found)]
    status, output = await run([*command, "--fail-severity", "hint", str(file)], packages, seconds=300)
    codes = {each["code"] for each in json.loads(found.read_text("utf-8"))}
    assert (status == 0) == (codes == set()), output
    return codes


@pytest.fixture
def released() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(RELEASED.read_text("utf-8"))
    return document


async def test_nothing_is_found_in_the_released_document(released: dict[str, Any], tmp_path: Path) -> None:
    assert await findings(tmp_path, released) == set()


async def test_what_is_put_in_is_found(released: dict[str, Any], tmp_path: Path) -> None:
    home = released["paths"]["/v1/home"]["get"]
    home["security"] = []
    del home["responses"]["429"]
    released["components"]["schemas"]["OpenCase"]["properties"]["text"].pop("maxLength")
    assert await findings(tmp_path, released) == {
        "owasp:api2:2023-read-restricted",
        "owasp:api4:2023-rate-limit-responses-429",
        "owasp:api4:2023-string-limit",
    }
