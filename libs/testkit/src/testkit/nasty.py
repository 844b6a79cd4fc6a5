"""Sends every parameter and field that a service's OpenAPI document names one nasty value after the other.

All values are sent to the first operation that has a name with this schema and lets the caller in, and to the others
those alone that their own code might fall over: the rest is refused by the same check as before.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import httpx

_ID = str(UUID(int=2**127 + 1))
_INTEGERS = (-(2**63) - 1, -1, 0, 2**31, 2**53 + 1, 2**63, 10**400, 1.5)
_DAYS = ("0001-01-01", "1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01", "9999-12-31", "10000-01-01")
_TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "1900-01-01T00:00:00+08:00",
    "2199-12-31T23:59:59-11:00",
    "9999-12-31T23:59:59.999999-14:00",
    "2026-01-01T00:00:00",
)
_TEXTS = ("", " ", "\x00", "a\x00b", "a\nb", "\ud800", "\U0010ffff", "%", "\\", "'", "字" * 20_000)
_NESTED: list[Any] = []
for _ in range(300):
    _NESTED = [_NESTED]
_OTHERS: tuple[object, ...] = (None, True, [], {}, [None], {"a": 1}, _NESTED)
_DEEP = b"[" * 100_000
"""More than Python's own reader of JSON goes down before it gives up with an error of its own."""
_CURSORS = (
    *([value] for value in (*_INTEGERS, *_DAYS, *_TIMES, *_TEXTS[:-1], None)),
    *([time, other] for time in _TIMES for other in (_ID, "\x00", "x")),
    *([value, _ID] for value in _INTEGERS),
    {},
    [],
    [[[]]],
)
_HARDEST: tuple[object, ...] = (
    *(2**63, 10**400, "0001-01-01", "9999-12-31", _TIMES[1], _TIMES[-2], "\x00", "\ud800"),
    *([2**63], [2**63, _ID], ["\x00"], [_TIMES[1], _ID], [_TIMES[-2], _ID], [_TIMES[0], "x"]),
)
_BY_FORMAT = {"date": _DAYS, "date-time": _TIMES}
_SAMPLES = {"uuid": _ID, "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z"}


class Sent(NamedTuple):
    """A request with one nasty value: its method and path, where the value stood, and the value."""

    method: str
    path: str
    place: str
    value: object


class _Schemas:
    """Samples and nasty values for the schemas of a document; `known` are good values by the name of a field."""

    def __init__(self, document: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        self._document = document
        self._known = known
        self._met: set[tuple[str, str]] = set()
        self.lets_in = True

    def values(self, name: str, schema: Mapping[str, Any], values: tuple[object, ...]) -> tuple[object, ...]:
        """Give the values to send under this name to an operation, which `lets_in` the caller or does not."""
        kind = name, json.dumps(schema, sort_keys=True)
        if self.lets_in and kind not in self._met:
            self._met.add(kind)
            return values
        return tuple(each for each in values if each in _HARDEST)

    def plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a reference, and take the first alternative that is not null."""
        while "$ref" in schema or "anyOf" in schema:
            if "$ref" in schema:
                schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        return schema

    def sample(self, name: str, schema: Mapping[str, Any]) -> Any:
        """Make a good value."""
        if name in self._known:
            return self._known[name]
        plain = self.plain(schema)
        if "enum" in plain or "const" in plain:
            return plain.get("const") or plain["enum"][0]
        match plain.get("type"):
            case "object":
                return {each: self.sample(each, field) for each, field in plain.get("properties", {}).items()}
            case "array":
                return [self.sample(name, plain["items"])]
            case "integer" | "boolean":
                return plain.get("minimum", 1) if plain["type"] == "integer" else True
        return _SAMPLES.get(plain.get("format", ""), "x" * int(plain.get("minLength", 1)))

    def nasty(self, schema: Mapping[str, Any]) -> tuple[object, ...]:
        """Give what to send in place of a good value."""
        plain = self.plain(schema)
        if plain.get("type") == "integer":
            return (*_INTEGERS, "1", *_OTHERS)
        return (*_BY_FORMAT.get(plain.get("format", ""), _TEXTS), *_OTHERS)

    def spoiled(self, name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, object, object]]:
        """Give, for each field and nasty value, the field's place, the value, and the whole with the value in it."""
        plain, good = self.plain(schema), self.sample(name, schema)
        if plain.get("type") == "object" and "properties" in plain:
            for each, field in plain["properties"].items():
                for place, value, spoiled in self.spoiled(each, field):
                    yield f"{name}/{place}", value, {**good, each: spoiled}
            yield f"{name}/", "nothing else", {each: good[each] for each in plain.get("required", ())}
        elif plain.get("type") == "array":
            for place, value, spoiled in self.spoiled(name, plain["items"]):
                yield f"{place}[]", value, [spoiled]
        else:
            for value in self.values(name, plain, self.nasty(schema)):
                yield name, value, value


async def refused_badly(http: httpx.AsyncClient, headers: Mapping[str, str], known: Mapping[str, Any]) -> list[Sent]:
    """Send nasty values to every operation below `/v1` and give those answered with 500 or more.

    `known` are good values by the name of a parameter or field, so that the value that is nasty is the only one wrong.
    Raises `AssertionError` when every single request was refused: then the good values are not good.
    """
    document = (await http.get("/openapi.json")).raise_for_status().json()
    schemas, failed, accepted = _Schemas(document, known), [], 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/v1"):
                continue
            requests = _requests(http, schemas, path, method, operation)
            nested = Sent(method, path, "body", "nested"), _nested(http, method, path)
            for sent, request in chain(requests, (nested,)):
                request.headers.update(headers)
                answer = await http.send(request)
                accepted += answer.is_success
                if sent.place == "nowhere":
                    schemas.lets_in = answer.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
                if answer.is_server_error:
                    failed.append(sent)
    if not accepted:
        raise AssertionError("the good values are not accepted either")
    return failed


def _nested(http: httpx.AsyncClient, method: str, path: str) -> httpx.Request:
    """Make a request whose body, if it is read at all, nests more deeply than any reader goes down."""
    return http.build_request(method, path, content=_DEEP, headers={"content-type": "application/json"})


def _requests(
    http: httpx.AsyncClient, schemas: _Schemas, path: str, method: str, operation: Mapping[str, Any]
) -> Iterator[tuple[Sent, httpx.Request]]:
    parameters = operation.get("parameters", ())
    good = {each["name"]: each for each in parameters if each["in"] == "path"}
    values = {name: str(schemas.sample(name, each["schema"])) for name, each in good.items()}
    asked = {
        each["name"]: schemas.sample(each["name"], each["schema"])
        for each in parameters
        if each["in"] == "query" and each.get("required")
    }
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = None if content is None else schemas.sample("body", content["schema"])

    def request(place: str, value: object, where: Mapping[str, str], query: Any, body: Any) -> Any:
        filled = path
        for name, each in where.items():
            filled = filled.replace(f"{{{name}}}", quote(each, safe="", errors="replace"))
        json_body = None if body is None else json.dumps(body).encode()
        made = http.build_request(method, filled, params=query, content=json_body)
        if json_body is not None:
            made.headers["content-type"] = "application/json"
        return Sent(method, path, place, str(value)[:80]), made

    yield request("nowhere", None, values, asked, body)
    for each in parameters:
        name = each["name"]
        nasty = schemas.nasty(each["schema"]) if each["in"] in {"path", "query"} else ()
        for value in schemas.values(name, each["schema"], nasty):
            text = str(value).encode(errors="replace").decode()[:5_000]
            if each["in"] == "query":
                yield request(name, value, values, {**asked, name: text}, body)
            elif text not in {"", ".", ".."}:
                yield request(name, value, {**values, name: text}, asked, body)
        for cursor in schemas.values("a cursor", {}, _CURSORS) if name == "cursor" else ():
            encoded = base64.urlsafe_b64encode(json.dumps(cursor).encode()).rstrip(b"=").decode()
            yield request(name, cursor, values, {**asked, name: encoded}, body)
    for place, value, spoiled in schemas.spoiled("body", content["schema"]) if content is not None else ():
        yield request(place, value, values, asked, spoiled)
