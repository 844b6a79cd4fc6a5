"""What a token reaches: a service's own nothing of a person, a client of others no say over the account."""

import re
from typing import Any

import httpx
import pytest

from database import new_id
from identity.clients.first_party import EXTENSION

from .front_end import Tokens
from .provider import Provider
from .system_clients import registered
from .terminals import Device, Phone, register

ID = "01930000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
async def of_others(provider: Provider) -> Tokens:
    """Tokens that a person let a client of somebody else have."""
    _, username = await provider.open_person()
    device = Device(provider, await register(provider, f"others-{new_id().hex[-8:]}"))
    return await device.tokens_for(Phone(provider, username))


async def writes(provider: Provider) -> dict[str, dict[str, Any]]:
    """Give every operation that takes a person's token and is no mere read, by method and path."""
    document = (await provider.http.get("/openapi.json")).json()
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method not in {"get", "head"} and operation.get("security")
    }


async def answer_to(provider: Provider, name: str, tokens: Tokens) -> tuple[int, str]:
    method, path = name.split(" ")
    answer = await provider.http.request(method, re.sub(r"\{[^}]*\}", ID, path), headers=tokens.headers)
    problem = answer.json().get("type", "") if answer.content else ""
    return answer.status_code, problem.removeprefix("/problems/")


async def test_a_client_of_others_carries_nothing_out_but_what_is_named_with_its_reason(
    provider: Provider, of_others: Tokens
) -> None:
    """Check 36: every command of identity, whatever power it is; what officers hold, and what is over oneself."""
    found = await writes(provider)
    named = {name for name, operation in found.items() if operation.get(EXTENSION)}
    answers = {name: await answer_to(provider, name, of_others) for name in found}
    refused = {name for name, answer in answers.items() if answer == (403, "first_party_only")}
    assert refused == found.keys() - named, {name: answers[name] for name in found.keys() - named - refused}
    assert named == {"POST /v1/assisted-sessions/{assist_id}/end"}
    assert len(refused) > 45


@pytest.mark.parametrize("path", ["/v1/me/export-requests", f"/v1/me/export-requests/{ID}"])
async def test_nor_is_it_told_of_a_file_with_all_that_is_known(
    provider: Provider, of_others: Tokens, path: str
) -> None:
    refused = await provider.http.get(path, headers=of_others.headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/first_party_only"), refused.text


async def test_a_client_of_others_acts_for_its_person_all_the_same(provider: Provider, of_others: Tokens) -> None:
    for path in ("/v1/me", "/v1/me/sessions", "/oauth2/userinfo"):
        assert (await provider.http.get(path, headers=of_others.headers)).status_code == 200


async def test_a_services_own_token_is_no_person(provider: Provider) -> None:
    client = await registered(provider)
    headers = {"Authorization": f"Bearer {await client.token()}"}
    document = (await provider.http.get("/openapi.json")).json()
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            rules = operation["x-access"]
            if "self" not in rules or "client" in rules:
                continue
            address = re.sub(r"\{[^}]*\}", ID, path)
            answer: httpx.Response = await provider.http.request(method.upper(), address, headers=headers)
            if rules == ["self"]:
                asked += 1
                problem = answer.json().get("type")
                assert (answer.status_code, problem) == (403, "/problems/not_a_person"), (method, path)
            else:  # what staff see beside their own: a service has neither
                assert answer.status_code < 500, (method, path)
                assert not answer.is_success or answer.json()["items"] == [], (method, path)
    assert asked > 30
