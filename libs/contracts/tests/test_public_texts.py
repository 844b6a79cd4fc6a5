"""Of texts, events carry those alone that an office wrote for everybody; the list stands here."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from contracts import EVENT_TYPES, Event

PUBLIC_TEXTS = {
    ("xiangqiao.members.organisation.established.v1", "name"): "what an organisation is called",
    ("xiangqiao.members.organisation.renamed.v1", "name"): "what an organisation is called",
    ("xiangqiao.members.organisation.moved.v1", "name"): "what an organisation is called",
    ("xiangqiao.learning.course.published.v1", "title"): "what a published course is called",
}
"""Where a text may stand, and what it is: never of a person nor about one. See docs/decisions/0010."""

SENTENCES = ("王小明家里有困难", "Wang Xiaoming needs help", "电话 13800000000", "她说:不")
WRITTEN_IN_FULL = {"uuid", "date", "date-time", "time", "duration"}


def texts_in(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every place of a JSON schema that takes a sentence."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    says_nothing = not schema.keys() & {"type", "enum", "const", "anyOf", "oneOf", "allOf"}
    if says_nothing or (schema.get("type") == "string" and not _is_code(schema)):
        yield schema
    if schema.get("type") == "object" and not isinstance(schema.get("properties"), dict):
        keys = [{"type": "string", "pattern": pattern} for pattern in schema.get("patternProperties", {})]
        yield from texts_in(
            {"type": "string", **schema.get("propertyNames", {}), **(keys[0] if keys else {})}, definitions
        )
    inner = [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values()]
    for key in ("items", "additionalProperties"):
        inner += [schema[key]] if isinstance(schema.get(key), dict) else []
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner += schema.get(key, [])
    for each in inner:
        yield from texts_in(each, definitions)


def _is_code(schema: dict[str, Any]) -> bool:
    if "enum" in schema or "const" in schema or schema.get("format") in WRITTEN_IN_FULL:
        return True
    pattern = schema.get("pattern")
    return pattern is not None and not any(re.search(pattern, sentence) for sentence in SENTENCES)


def texts_of(event: type[Event]) -> set[str]:
    """Give the fields of an event that take a sentence."""
    schema = TypeAdapter(event).json_schema()
    definitions = schema.get("$defs", {})
    return {name for name, field in schema["properties"].items() if any(True for _ in texts_in(field, definitions))}


def test_events_carry_the_listed_public_texts_and_no_other() -> None:
    found = {(name, field) for name, event in EVENT_TYPES.items() for field in texts_of(event)}
    assert found == PUBLIC_TEXTS.keys()


@pytest.mark.parametrize("annotation", [str, str | None, list[str], dict[str, int], dict[UUID, str], Any])
def test_a_text_is_found_wherever_it_hides(annotation: Any) -> None:
    class Said(Event):
        aggregate: ClassVar[str] = "thing"
        thing_id: UUID
        said: annotation

    assert texts_of(Said) == {"said"}


def test_a_pattern_that_lets_sentences_pass_makes_no_code() -> None:
    assert not _is_code({"type": "string", "pattern": "^.+$"})
    assert _is_code({"type": "string", "pattern": "^[a-z]+$"})
