"""The document of a service is valid OpenAPI 3.1 and tells the truth about tokens, keys and problems."""

from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from openapi_spec_validator import OpenAPIV31SpecValidator

from webapi import Application, access, described


@pytest_asyncio.fixture
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    content: dict[str, Any] = (await client.get("/openapi.json")).json()
    return content


async def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


async def test_operation_ids_are_service_and_function(document: dict[str, Any]) -> None:
    ids = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert {"orchard_plant", "orchard_list", "orchard_show", "orchard_plant_quickly"} <= ids


async def test_operations_say_whether_they_ask_for_a_token(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/trees"]["post"]["security"] == [{"bearer": ["orchard.write"]}]
    assert document["paths"]["/v1/trees"]["get"]["security"] == [{"bearer": ["orchard.read"]}]
    assert {"401", "403"} <= document["paths"]["/v1/trees"]["post"]["responses"].keys()
    assert "security" not in document["paths"]["/v1/trees/{tree_id}"]["get"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_problems_take_the_place_of_fastapis_own_errors(document: dict[str, Any]) -> None:
    text = str(document)
    assert "HTTPValidationError" not in text
    responses = document["paths"]["/v1/trees"]["get"]["responses"]
    assert responses["422"] == responses["default"] == {"$ref": "#/components/responses/Problem"}
    assert list(document["components"]["responses"]["Problem"]["content"]) == ["application/problem+json"]
    assert document["components"]["schemas"]["Problem"]["properties"]["type"]["examples"] == ["/problems/tree_felled"]


async def test_writing_operations_take_an_idempotency_key(document: dict[str, Any]) -> None:
    def names(method: str) -> list[str]:
        return [each["name"] for each in document["paths"]["/v1/trees"][method].get("parameters", [])]

    assert "Idempotency-Key" in names("post")
    assert "Idempotency-Key" not in names("get")


async def test_health_and_metrics_are_not_documented_and_ask_for_no_token(
    client: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert path not in document["paths"]
        assert (await client.get(path)).status_code == 200


async def test_two_routes_of_one_name_are_refused_at_composition(application: Application) -> None:
    router = APIRouter()
    for path in ("/a", "/b"):

        @router.get(path, openapi_extra=access("public") | described("果酱", "Jam"))
        async def same() -> None:
            """Do nothing."""

    with pytest.raises(ValueError, match="two routes are called orchard_same"):
        application.add_routers([router])
