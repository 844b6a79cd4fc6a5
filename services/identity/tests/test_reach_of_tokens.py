"""What a token reaches: a service's own nothing of a person, a client of others no say over the account."""

import re
from typing import Any

import httpx
import pytest

from database import new_id

from .front_end import Tokens
from .provider import Provider
from .system_clients import registered
from .terminals import Device, Phone, register

ID = "01930000-0000-7000-8000-000000000001"
OVER_THE_ACCOUNT: list[tuple[str, str, Any]] = [
    ("POST", "/v1/me/password", {"old_password": "correct horse", "new_password": "a better password"}),
    ("POST", "/v1/me/phone", {"phone": "13800138000"}),
    ("POST", "/v1/me/phone/confirmation", {"challenge_id": ID, "code": "123456"}),
    ("POST", "/v1/me/totp", None),
    ("POST", "/v1/me/totp/confirm", {"code": "123456"}),
    ("POST", "/v1/me/totp/recovery-codes", None),
    ("DELETE", "/v1/me/totp", None),
    ("DELETE", f"/v1/me/passkeys/{ID}", None),
    ("DELETE", "/v1/me/wechat", None),
    ("POST", "/v1/me/export-requests", None),
    ("GET", "/v1/me/export-requests", None),
    ("GET", f"/v1/me/export-requests/{ID}", None),
    ("POST", "/v1/me/erasure", None),
    ("POST", f"/v1/recoveries/{ID}/objection", None),
    ("POST", f"/v1/recoveries/{ID}/approvals", None),
    ("POST", "/v1/phone-replacements", {"person_id": ID, "phone": "13800138000"}),
    ("POST", f"/v1/phone-replacements/{ID}/confirmation", {"code": "123456"}),
    ("POST", f"/v1/phone-replacements/{ID}/approvals", None),
    ("DELETE", "/v1/me/client-consents/docs", None),
    ("POST", "/v1/me/sessions/revocation", {"keep_current": False}),
    ("DELETE", f"/v1/me/sessions/{ID}", None),
    ("PUT", "/v1/me/consents/learning_suggestions", {"text_version": 1}),
    ("DELETE", "/v1/me/consents/wechat", None),
]


@pytest.fixture(scope="module")
async def of_others(provider: Provider) -> Tokens:
    """Tokens that a person let a client of somebody else have."""
    _, username = await provider.open_person()
    device = Device(provider, await register(provider, f"others-{new_id().hex[-8:]}"))
    return await device.tokens_for(Phone(provider, username))


@pytest.mark.parametrize(("method", "path", "body"), OVER_THE_ACCOUNT)
async def test_a_client_of_others_decides_nothing_over_the_account(
    provider: Provider, of_others: Tokens, method: str, path: str, body: Any
) -> None:
    refused = await provider.http.request(method, path, json=body, headers=of_others.headers)
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
