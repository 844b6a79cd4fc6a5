"""What is answered with a version can be written on that version alone: If-Match is taken wherever it is changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "openapi-v1.json").read_text("utf-8"))
BEGINNING = {
    "POST /v1/organisations": "there is none yet, and what is there already has to say the same",
    "POST /v1/members": "there is none yet, and what is there already has to say the same",
    "POST /v1/activities": "there is none yet, and what is there already has to say the same",
    "POST /v1/cases": "there is none yet, and what is there already has to say the same",
}
VERSIONED = {"Organisation", "Member", "Activity", "Case", "Revision"}
"""What the names of the schemas begin with that are known to have versions."""


def answered(operation: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of the good answer, and its name as `$id`."""
    for status, answer in operation["responses"].items():
        reference = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        if status.startswith("2") and reference:
            name = reference.rpartition("/")[2]
            return {"$id": name, **DOCUMENT["components"]["schemas"][name]}
    return {}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every operation that answers with one thing that has a version."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if "version" in answered(operation).get("properties", {}):
                yield f"{method.upper()} {path}", operation


WRITES = {name: operation for name, operation in operations() if not name.startswith("GET")}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_on_what_has_versions_takes_if_match(name: str) -> None:
    taken = [each for each in WRITES[name].get("parameters", ()) if each["name"] == "If-Match"]
    assert (len(taken), name in BEGINNING) in {(1, False), (0, True)}
    if taken:
        assert {"412", "428"} <= WRITES[name]["responses"].keys()


def test_each_exception_is_a_write() -> None:
    assert BEGINNING.keys() <= WRITES.keys()


def test_all_that_is_known_to_have_versions_is_looked_at() -> None:
    found = {answered(operation)["$id"] for _, operation in operations()}
    assert {each for each in VERSIONED if not any(name.startswith(each) for name in found)} == set()
