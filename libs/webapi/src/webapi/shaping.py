"""Shapes a service's document for those who make clients of it: answers open, everything bounded, short names.

What an answer may hold grows: a client that was made of a closed list would break with the first new word of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from webapi.validation import worded

Schema = dict[str, Any]

LONGEST: Final = 1_048_576
LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly (RFC 8259, section 6)."""
MOST: Final = 100_000
_LENGTHS: Final[Mapping[str, int]] = {"uuid": 36, "date": 10, "date-time": 40, "binary": 2**31 - 1}
_NO_NUL: Final = worded("^[^\\u0000]*$", en="This must not hold the character U+0000.", zh="不能含有字符 U+0000。")
_SCHEMAS: Final = "#/components/schemas/"
_DATA: Final = frozenset({"default", "enum", "const", "example", "examples"})
"""Keys below which stands no schema, but what somebody may send or get."""


def shaped(document: dict[str, Any]) -> dict[str, Any]:
    """Give a document of a service in the form that is published."""
    document = _renamed(document)
    schemas: dict[str, Schema] = document.get("components", {}).get("schemas", {})
    operations = [operation for item in document.get("paths", {}).values() for operation in item.values()]
    for parameter in (each for operation in operations for each in operation.get("parameters", ())):
        parameter["schema"] = _without_null(parameter["schema"])
    sent = [part for operation in operations for part in (operation.get("requestBody"), operation.get("parameters"))]
    taken = set(_reached(sent, schemas))
    for operation in operations:
        for schema in _all_schemas(operation.get("responses")):
            _open(schema)
    for name, content in schemas.items():
        if name not in taken:
            for schema in _all_schemas(content):
                _open(schema)
    for schema in _all_schemas([document.get("paths"), document.get("components")]):
        _bound(schema)
        if isinstance(schema.get("title"), str):
            del schema["title"]
    return document


def _renamed(document: Any) -> Any:
    """Call `Page[HomeItemOut]` HomeItemPage, wherever it is named."""
    names = {
        name: f"{name.removeprefix('Page_').removesuffix('_').removesuffix('Out')}Page"
        for name in document.get("components", {}).get("schemas", {})
        if name.startswith("Page_")
    }
    references = {f"{_SCHEMAS}{old}": f"{_SCHEMAS}{new}" for old, new in names.items()}

    def walked(content: Any) -> Any:
        if isinstance(content, dict):
            return {names.get(key, key): walked(value) for key, value in content.items()}
        if isinstance(content, list):
            return [walked(value) for value in content]
        return references.get(content, content) if isinstance(content, str) else content

    return walked(document)


def _all_schemas(content: Any) -> Iterator[Schema]:
    """Go through everything that may be a schema, outside of data."""
    if isinstance(content, dict):
        yield content
        for key, value in content.items():
            if key not in _DATA or (isinstance(value, dict) and "type" in value):
                yield from _all_schemas(value)
    elif isinstance(content, list):
        for value in content:
            yield from _all_schemas(value)


def _reached(content: Any, schemas: Mapping[str, Schema]) -> Iterator[str]:
    """Name the schemas that are referred to, directly or through others."""
    seen: set[str] = set()
    coming = [content]
    while coming:
        for each in _all_schemas(coming.pop()):
            name = str(each.get("$ref", "")).removeprefix(_SCHEMAS)
            if name in schemas and name not in seen:
                seen.add(name)
                coming.append(schemas[name])
    yield from seen


def _without_null(schema: Schema) -> Schema:
    """Say of a parameter that may be left out what it is, and not that `null` could be sent."""
    either = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if len(either) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}, **either[0]}


def _open(schema: Schema) -> None:
    """Let an answer hold more fields and other words than today's; the words known today stand in `x-values`."""
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    if "const" in schema and "type" in schema:
        schema["enum"] = [schema.pop("const")]
    if "enum" in schema and "type" in schema:
        schema["x-values"] = schema.pop("enum")


def _bound(schema: Schema) -> None:
    """Bound what the schema leaves open by what holds for everything here."""
    kind = schema.get("type")
    if kind == "string" and not {"enum", "const"} & schema.keys():
        schema.setdefault("maxLength", _LENGTHS.get(str(schema.get("format")), LONGEST))
        if not {"format", "pattern"} & schema.keys():
            schema["pattern"] = _NO_NUL
    elif kind == "array":
        schema.setdefault("maxItems", MOST)
    elif kind == "integer" and not {"enum", "const"} & schema.keys():
        schema.setdefault("format", "int64")
        if "exclusiveMinimum" not in schema:
            schema.setdefault("minimum", -LARGEST)
        if "exclusiveMaximum" not in schema:
            schema.setdefault("maximum", LARGEST)
