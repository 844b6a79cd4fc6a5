"""How several documents become one."""

from itertools import permutations
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.documents.descriptions import frame, security_schemes
from gateway.documents.merging import Document, is_document, merge

PROBLEM: Document = {"type": "object", "properties": {"type": {"type": "string"}}}


def document(paths: dict[str, Any], **schemas: Any) -> Document:
    """Write a service's document whose paths answer with the schema that they name."""
    operations = {
        path: {
            "get": {
                "operationId": f"get_{schema}",
                "security": [{"bearer": ["learning.read"]}],
                "responses": {
                    "200": {
                        "description": "x",
                        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
                    },
                    "default": {"$ref": "#/components/responses/Problem"},
                },
            }
        }
        for path, schema in paths.items()
    }
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": operations,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "responses": {"Problem": {"description": "x", **problem}},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def all_pass(_path: str, _service: str) -> bool:
    return True


def whole(merged: Document) -> Document:
    """Complete a merged document as it is published."""
    schemes = {**security_schemes("http://x"), **merged["components"].get("securitySchemes", {})}
    return {**frame("http://x", "1"), **merged, "components": {**merged["components"], "securitySchemes": schemes}}


def schema_of(merged: Document, path: str) -> str:
    """Name the schema that a path answers with."""
    content = merged["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    return str(content["schema"]["$ref"]).rsplit("/", 1)[1]


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def test_what_is_alike_stands_once_and_what_differs_stands_twice() -> None:
    merged = merge(
        {
            "members": document({"/a": "Page", "/c": "Same"}, Page=TEXT, Same=TEXT),
            "learning": document({"/b": "Page", "/d": "Same"}, Page=NUMBER, Same=TEXT),
        },
        all_pass,
    )
    assert merged["components"]["schemas"] == {
        "LearningPage": NUMBER,
        "MembersPage": TEXT,
        "Problem": PROBLEM,
        "Same": TEXT,
    }
    assert (schema_of(merged, "/a"), schema_of(merged, "/b")) == ("MembersPage", "LearningPage")
    OpenAPIV31SpecValidator(whole(merged)).validate()


def test_schemas_that_lead_to_different_ones_are_different_too() -> None:
    def outer(inner: str) -> Document:
        return {"type": "object", "properties": {"x": {"$ref": f"#/components/schemas/{inner}"}}}

    several = {"type": "array", "items": {"$ref": "#/components/schemas/Outer"}}
    merged = merge(
        {
            "members": document({"/a": "List"}, List=several, Outer=outer("Inner"), Inner=TEXT),
            "learning": document({"/b": "List"}, List=several, Outer=outer("Inner"), Inner=NUMBER),
        },
        all_pass,
    )
    schemas = merged["components"]["schemas"]
    assert schemas["MembersList"]["items"]["$ref"] == "#/components/schemas/MembersOuter"
    assert schemas["LearningOuter"]["properties"]["x"]["$ref"] == "#/components/schemas/LearningInner"
    assert (schemas["MembersInner"], schemas["LearningInner"]) == (TEXT, NUMBER)
    OpenAPIV31SpecValidator(whole(merged)).validate()


def test_discriminators_follow_their_schemas() -> None:
    union: Document = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
    }
    cat = {"type": "object", "properties": {"kind": TEXT}}
    merged = merge(
        {
            "members": document({"/a": "Pet"}, Pet=union, Cat=cat),
            "learning": document({"/b": "Pet"}, Pet=union, Cat=TEXT),
        },
        all_pass,
    )
    mapping = merged["components"]["schemas"]["MembersPet"]["discriminator"]["mapping"]
    assert mapping == {"cat": "#/components/schemas/MembersCat"}


def test_the_order_of_services_decides_nothing() -> None:
    documents = {
        "members": document({"/a": "Page"}, Page=TEXT),
        "learning": document({"/b": "Page"}, Page=NUMBER),
        "feedback": document({"/c": "Page"}, Page=TEXT),
    }
    for document_ in documents.values():
        for path in document_["paths"].values():
            del path["get"]["operationId"]
    results = [merge({name: documents[name] for name in order}, all_pass) for order in permutations(documents)]
    assert all(result == results[0] for result in results)


def test_the_codes_of_all_problems_stand_in_one_schema() -> None:
    documents = {"members": document({"/a": "A"}, A=TEXT), "learning": document({"/b": "B"}, B=TEXT)}
    for service, code in (("members", "/problems/b"), ("learning", "/problems/a")):
        kind = {"type": "string", "examples": [code]}
        documents[service]["components"]["schemas"]["Problem"] = {**PROBLEM, "properties": {"type": kind}}
    schemas = merge(documents, all_pass)["components"]["schemas"]
    assert schemas["Problem"]["properties"]["type"]["examples"] == ["/problems/a", "/problems/b"]
    assert not [name for name in schemas if name.endswith("Problem") and name != "Problem"]
    assert documents["members"]["components"]["schemas"]["Problem"]["properties"]["type"]["examples"] == ["/problems/b"]


def test_paths_that_the_door_does_not_pass_leave_no_trace() -> None:
    inner = document({"/a": "A", "/internal": "Inner"}, A=TEXT, Inner=NUMBER)
    merged = merge({"members": inner}, lambda path, _: path != "/internal")
    assert list(merged["paths"]) == ["/a"]
    assert list(merged["components"]["schemas"]) == ["A", "Problem"]


def test_operations_carry_their_service_and_the_systems_security() -> None:
    merged = merge(
        {"members": document({"/a": "A"}, A=TEXT), "learning": document({"/b": "A"}, A=TEXT)},
        all_pass,
    )
    first, second = (merged["paths"][path]["get"] for path in ("/a", "/b"))
    assert (first["tags"], second["tags"]) == (["members"], ["learning"])
    assert first["security"] == [{"oauth2": ["learning.read"]}, {"bearer": []}]
    assert {first["operationId"], second["operationId"]} == {"get_A", "learning_get_A"}
    assert "securitySchemes" not in merged["components"]


def test_a_services_own_way_to_authenticate_is_kept() -> None:
    basic = document({"/a": "A"}, A=TEXT)
    basic["components"]["securitySchemes"]["basic"] = {"type": "http", "scheme": "basic"}
    basic["paths"]["/a"]["get"]["security"] = [{"basic": []}]
    merged = merge({"learning": basic}, all_pass)
    assert merged["paths"]["/a"]["get"]["security"] == [{"basic": []}]
    OpenAPIV31SpecValidator(whole(merged)).validate()


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "x",
        {},
        {"openapi": "3.0.3"},
        {"openapi": "3.1.0", "paths": []},
        {"openapi": "3.1.0", "paths": {"/a": []}},
        {"openapi": "3.1.0", "components": {"schemas": []}},
        {"openapi": "3.1.0", "components": []},
    ],
)
def test_what_is_no_document_is_told(content: object) -> None:
    assert not is_document(content)
    assert is_document({"openapi": "3.1.0", "paths": {}, "components": {}})
