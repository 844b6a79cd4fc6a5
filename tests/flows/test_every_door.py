"""Nothing behind the gateway is open to somebody without a token but what must be."""

from uuid import uuid4

import httpx
import pytest

from tests.flows.conftest import System

OPEN = ("/oauth2/", "/.well-known/", "/sign-in")
"""Where people sign in; all else asks for a token."""


@pytest.mark.parametrize("path", ["/metrics", "/health/ready"])
async def test_what_operators_ask_is_not_answered_to_the_public(system: System, path: str) -> None:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not_found")


async def test_every_operation_of_the_document_asks_for_a_token(system: System) -> None:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False, timeout=20) as client:
        document = (await client.get("/openapi.json")).raise_for_status().json()
        operations = [
            (method, path)
            for path, item in document["paths"].items()
            for method in item
            if method in {"get", "post", "put", "patch", "delete"} and not path.startswith(OPEN)
        ]
        assert len(operations) > 40
        answers = {}
        for method, path in operations:
            concrete = "/".join(str(uuid4()) if part.startswith("{") else part for part in path.split("/"))
            answers[method, path] = (await client.request(method.upper(), concrete)).status_code
    assert {operation: status for operation, status in answers.items() if status != 401} == {}
