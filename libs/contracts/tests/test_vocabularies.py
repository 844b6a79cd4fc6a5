"""Words on events are open: a consumer may meet one it does not know. What is closed stands here, with its reason."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pytest
from pydantic import Field, TypeAdapter

from contracts import EVENT_TYPES, Code, Event

FORMS = {
    "division_code": "2 to 12 digits, as GB/T 2260 and the statistical codes below it write them",
    "head": "SHA-256 in hexadecimal; another hash would be another chain, and a V2",
    "root": "SHA-256 in hexadecimal; another hash would be another chain, and a V2",
    "name": "a public text, see test_public_texts.py",
    "title": "a public text, see test_public_texts.py",
    "origins": "an origin as browsers write it; they have no other form",
    "person_index": "16 bytes in hexadecimal, as two services compare them; another hash would be another field",
}
"""Fields whose strings have a form that is final, by name: no word of a list, but a number, a hash or a text."""

OPEN = TypeAdapter(Code).json_schema()["pattern"]
WRITTEN_IN_FULL = {"uuid", "date", "date-time"}


def closed_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every place of a JSON schema that takes certain strings, or certain values, alone."""
    inner = [each for key in ("anyOf", "oneOf", "allOf", "prefixItems") for each in schema.get(key, [])]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    keys = schema.get("patternProperties", {})
    inner += [*keys.values(), *({"type": "string", "pattern": pattern} for pattern in keys)]
    if schema.get("type") == "object" and not keys:
        inner.append({"type": "string", **schema.get("propertyNames", {})})
    for each in inner:
        yield from closed_in(each)
    is_open = schema.get("pattern") == OPEN or schema.get("format") in WRITTEN_IN_FULL
    if schema.keys() & {"enum", "const", "$ref"} or (schema.get("type") == "string" and not is_open):
        yield schema


def closed_fields(event: type[Event]) -> set[str]:
    properties = event.model_json_schema()["properties"]
    return {name for name, field in properties.items() if any(True for _ in closed_in(field))}


def test_every_word_of_every_event_is_open_unless_its_form_is_final() -> None:
    found = {name for event in EVENT_TYPES.values() for name in closed_fields(event)}
    assert found == FORMS.keys()


@pytest.mark.parametrize(
    "annotation",
    [
        Literal["open", "answered"],
        Literal["open"] | None,
        tuple[Literal["online", "paper"], ...],
        dict[Literal["full"], int],
        Literal[1, 2],
        Annotated[str, Field(pattern="^(open|answered)$", max_length=64, min_length=1)],
        str,
    ],
)
def test_a_closed_list_is_found_wherever_it_hides(annotation: Any) -> None:
    class Changed(Event):
        aggregate: ClassVar[str] = "thing"
        thing_id: UUID
        kind: Code
        counts: dict[Code, int]
        status: annotation

    assert closed_fields(Changed) == {"status"}
