"""No body takes text for a number, a number for true or false, or a number for a time: over all bodies."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts import SERVICES

WRONG: dict[str, tuple[object, ...]] = {
    "integer": (True, False, "5", 1.0),
    "number": (True, "5"),
    "boolean": (0, 1, "true", "on"),
    "date-time": (1765000000000, 1765000000, 1.5, "1765000000", "1765000000000", True),
    "date": (20000, 1765000000, "20000", "1765000000", True),
    "string": (5, True),
}
"""Of each kind of value what is none, though it may be taken for one."""


def kinds_of(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, str]:
    """Give the kinds of value that a schema takes, each with how a wrong one is put: alone, or in a list."""
    if "$ref" in schema:
        return kinds_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return {kind: put for each in schema["anyOf"] for kind, put in kinds_of(each, definitions).items()}
    kind = schema.get("format") if schema.get("format") in WRONG else schema.get("type")
    if kind == "array" and "items" in schema:
        return dict.fromkeys(kinds_of(schema["items"], definitions), "list")
    return {kind: "alone"} if kind in WRONG else {}


def wrong_values(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[object]:
    kinds = kinds_of(schema, definitions)
    if len(kinds) == 1:
        [(kind, put)] = kinds.items()
        yield from ([value] if put == "list" else value for value in WRONG[kind])


def models_in(schema: Any) -> Iterator[type[BaseModel]]:
    """Give the models of a body, as pydantic put them together."""
    if isinstance(schema, dict):
        if schema.get("type") == "model":
            yield schema["cls"]
        for part in schema.values():
            yield from models_in(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from models_in(part)


def bodies_of(generate: ModuleType, service: str) -> set[type[BaseModel]]:
    routes = [each for each in generate.application_of(service).routes if isinstance(each, APIRoute)]
    bodies: list[Any] = [each.body_field.field_info.annotation for each in routes if each.body_field is not None]
    return {model for body in bodies for model in models_in(TypeAdapter(body).core_schema)}


def refuses(model: type[BaseModel], name: str, value: object) -> bool:
    try:
        model.model_validate({name: value})
    except ValidationError as error:
        return any(each["loc"][:1] == (name,) for each in error.errors())
    return False


@pytest.mark.parametrize("service", SERVICES)
def test_no_body_takes_a_value_of_one_kind_for_another(generate: ModuleType, service: str) -> None:
    taken, tried = [], 0
    for model in bodies_of(generate, service):
        document = model.model_json_schema()
        for name, schema in document.get("properties", {}).items():
            for value in wrong_values(schema, document.get("$defs", {})):
                tried += 1
                if not refuses(model, name, value):
                    taken.append(f"{model.__name__}.{name}: {value!r}")
    assert tried > 10 or service == "gateway"
    assert taken == []


def test_what_takes_one_kind_for_another_would_be_found() -> None:
    class Lax(BaseModel):
        count: int
        days: list[int]

    document = Lax.model_json_schema()
    schemas = document["properties"]
    assert refuses(Lax, "count", "five")
    assert not all(refuses(Lax, "count", value) for value in wrong_values(schemas["count"], {}))
    assert not all(refuses(Lax, "days", value) for value in wrong_values(schemas["days"], {}))
