"""The released document of the whole API: valid, with examples that hold, and never less than it was."""

import json
from copy import deepcopy
from types import ModuleType
from typing import Any

import httpx
import pytest
from compatibility import taken_away
from fastapi.routing import APIRoute
from openapi_spec_validator import OpenAPIV31SpecValidator

from contracts import SERVICES
from contracts.scopes import API_SCOPES
from database import new_id
from testkit.tokens import TokenIssuer
from webapi import Application

REFUSED_AS_WRITTEN = frozenset({400, 415, 422})


@pytest.fixture(scope="module")
def released(generate: ModuleType) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((generate.ROOT / generate.OPENAPI).read_text("utf-8"))
    return document


def operations_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["operationId"]: each for item in document["paths"].values() for each in item.values()}


def test_it_is_valid_and_its_scopes_are_those_of_the_way_to_sign_in(released: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(released).validate()
    known = released["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"]["scopes"].keys()
    for name, operation in operations_of(released).items():
        for either in operation["security"]:
            assert set(either.get("oauth2", ())) <= known, name
            assert either.get("bearer", []) == [], name


def test_no_answer_is_closed_to_what_comes_later(released: dict[str, Any]) -> None:
    """Words and fields that are both sent and answered are closed where they are sent."""
    sent = json.dumps([each.get("requestBody") for each in operations_of(released).values()])
    closed = []
    for name, schema in released["components"]["schemas"].items():
        fields = schema.get("properties", {}).values()
        if name.endswith(("Out", "Page")) and f'/{name}"' not in sent:
            shut = any({"enum", "const"} & field.keys() for field in fields)
            closed += [name] if schema.get("additionalProperties") is False or shut else []
    assert closed == []


@pytest.mark.parametrize("service", SERVICES)
async def test_every_example_is_taken_by_its_operation(service: str, issuer: TokenIssuer, generate: ModuleType) -> None:
    application: Application = generate.composed(service, issuer=issuer.issuer, jwks_url=issuer.jwks_url)
    headers = issuer.headers(new_id(), acr="2", scope=" ".join(("openid", *API_SCOPES)))
    transport, wrong = httpx.ASGITransport(application, raise_app_exceptions=False), {}
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test", headers=headers) as client:
        for route in application.routes:
            if not isinstance(route, APIRoute) or route.body_field is None or not route.include_in_schema:
                continue
            extra = route.openapi_extra or {}
            example = extra["requestBody"]["content"]["application/json"]["example"]
            path = "/".join(str(new_id()) if part.startswith("{") else part for part in route.path_format.split("/"))
            answer = await client.request(next(iter(route.methods or ())), path, json=example)
            if answer.status_code in REFUSED_AS_WRITTEN:
                wrong[route.name] = answer.text
    assert wrong == {}


def test_nothing_is_taken_away_from_what_is_released(generate: ModuleType, released: dict[str, Any]) -> None:
    assert taken_away(released, generate.openapi()) == []


@pytest.mark.parametrize(
    ("at", "change", "missed"),
    [
        (("paths",), {"/v1/home": None}, "GET /v1/home is gone"),
        (("components", "schemas", "HomeItemOut", "properties"), {"since": None}, "since is gone"),
        (("components", "schemas", "HomeItemOut", "properties", "since"), {"type": "integer"}, "another type"),
        (("components", "schemas", "OpenCase", "properties", "text"), {"maxLength": 10}, "maxLength is narrower"),
        (("components", "schemas", "OpenCase"), {"required": ["text", "shade"]}, "shade is demanded"),
        (("components", "schemas", "ReportAttendance", "properties", "mode"), {"enum": ["remote"]}, "takes in_person"),
        (("paths", "/v1/cases", "post", "responses"), {"201": None}, "no longer answers 201"),
        (("paths", "/v1/activities", "get"), {"parameters": []}, "no longer takes the parameter kind"),
    ],
)
def test_what_is_taken_away_is_found(released: dict[str, Any], at: tuple[str, ...], change: Any, missed: str) -> None:
    now = deepcopy(released)
    place = now
    for step in at:
        place = place[step]
    for name, value in change.items():
        if value is None:
            del place[name]
        else:
            place[name] = value
    assert any(missed in each for each in taken_away(released, now)), taken_away(released, now)


def test_what_is_added_takes_nothing_away(released: dict[str, Any]) -> None:
    now = deepcopy(released)
    now["paths"]["/v1/new"] = now["paths"]["/v1/home"]
    now["components"]["schemas"]["HomeItemOut"]["properties"]["shade"] = {"type": "string"}
    now["components"]["schemas"]["OpenCase"]["properties"]["shade"] = {"type": "string"}
    assert taken_away(released, now) == []
