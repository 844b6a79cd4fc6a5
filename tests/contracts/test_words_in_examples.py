"""A word of a list that an example names is in that list: who copies an example sends what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.sync.kinds import KINDS
from identity.assistance.rules import ACTIONS
from identity.privacy.rules import GROUNDS
from identity.roles.definitions import roles_to_define

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "openapi-v1.json").read_text("utf-8"))
LISTS = {
    "actions": ACTIONS.keys(),
    "basis": GROUNDS.holds.keys(),
    "kind": KINDS.keys(),
    "role": roles_to_define().keys(),
}
"""The words there are, by the name of the field."""
OWN_WORDS = {
    "category": "whoever assigns responsibilities names the categories there are",
    "username": "people choose it",
    "client_id": "who registers a client chooses it",
}
_WORD = re.compile(r"[a-z][a-z_.:-]+[a-z]")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def is_closed(schema: dict[str, Any]) -> bool:
    """Say whether the document lists the words: a validator holds examples to it."""
    return bool({"enum", "const"} & schema.keys()) or "|" in schema.get("pattern", "")


def open_words(schema: dict[str, Any], example: Any, name: str) -> Iterator[tuple[str, str]]:
    """Go through an example beside its schema; give what could be a word of a list that the schema does not name."""
    schema = resolved(schema)
    either = [resolved(each) for each in schema.get("anyOf", ())]
    if isinstance(example, dict):
        fields = {key: value for each in [schema, *either] for key, value in each.get("properties", {}).items()}
        for key, value in example.items():
            yield from open_words(fields.get(key, {}), value, key)
    elif isinstance(example, list):
        for value in example:
            yield from open_words(schema.get("items", {}), value, name)
    elif isinstance(example, str) and _WORD.fullmatch(example) and not any(map(is_closed, [schema, *either])):
        yield name, example


def found() -> Iterator[tuple[str, str, str]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for name, word in open_words(content.get("schema", {}), content.get("example"), ""):
                yield f"{method.upper()} {path}", name, word


@pytest.mark.parametrize(("operation", "name", "word"), list(found()))
def test_every_word_of_an_example_is_in_its_list(operation: str, name: str, word: str) -> None:
    assert name in OWN_WORDS or word in LISTS[name], f"{operation}: there is no {name} {word}"


def test_every_list_is_used() -> None:
    assert {name for _, name, _ in found()} == LISTS.keys() | OWN_WORDS.keys()
