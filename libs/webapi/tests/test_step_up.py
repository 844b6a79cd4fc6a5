"""An operation may demand a stronger or fresher proof of who asks, in the words of RFC 9470."""

import time
from uuid import UUID

import httpx
import pytest

from database import new_id
from testkit.tokens import TokenIssuer

GRAFT = "/v1/trees/graft"


async def test_a_strong_and_fresh_token_may(client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID) -> None:
    for acr in ("2", "3"):
        assert (await client.put(GRAFT, headers=issuer.headers(person, acr=acr))).status_code == 204


@pytest.mark.parametrize("acr", ["1", "0", "silver"])
async def test_a_weak_token_is_told_what_to_ask_for(
    client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID, acr: str
) -> None:
    answer = await client.put(GRAFT, headers=issuer.headers(person, acr=acr))
    assert answer.status_code == 401
    assert (answer.json()["type"], answer.json()["acr_values"]) == ("/problems/step_up_required", "2")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    for part in ('error="insufficient_user_authentication"', 'acr_values="2"', 'max_age="600"', "error_description="):
        assert part in challenge


async def test_an_old_proof_is_not_enough(client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID) -> None:
    long_ago = issuer.headers(person, acr="2", authenticated_at=time.time() - 700)
    never = issuer.headers(person, acr="2", claims={"auth_time": None})
    for headers in (long_ago, never):
        answer = await client.put(GRAFT, headers=headers)
        assert answer.json()["type"] == "/problems/step_up_required"
        assert "more recent" in answer.headers["www-authenticate"]


async def test_what_a_helper_proved_is_never_enough(
    client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    helped = issuer.headers(person, acr="3", actor=new_id(), actions=["orchard.graft"])
    answer = await client.put(GRAFT, headers=helped)
    assert answer.json()["type"] == "/problems/step_up_required"
    assert "a stronger authentication" in answer.headers["www-authenticate"]  # however fresh, it is the helper's


async def test_the_document_tells_of_the_challenge(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    refused = document["paths"][GRAFT]["put"]["responses"]["401"]
    told = document["components"]["responses"][refused["$ref"].rpartition("/")[2]]
    assert "WWW-Authenticate" in told["headers"]
    assert "step_up_required" in told["description"]


async def test_a_permission_takes_two_factors_after_it_was_found(
    client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    async def plant(*roles: tuple[str, UUID], acr: str) -> httpx.Response:
        body = {"tree_id": str(new_id()), "kind": "pear"}
        return await client.post("/v1/trees", json=body, headers=issuer.headers(person, roles, acr=acr))

    office = ("tree", new_id())
    weak = await plant(office, acr="1")
    assert (weak.status_code, weak.json()["type"]) == (401, "/problems/step_up_required")
    assert (await plant(acr="1")).json()["type"] == "/problems/permission_missing"
    assert (await plant(office, acr="2")).status_code == 201
