"""Asking what a token is worth, giving one up, and who may do either."""

import base64
import json
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text, update

from contracts import Envelope
from identity.accounts.tables import Account
from identity.clients.tables import Client

from .front_end import SCOPE, FrontEnd, Tokens, tokens_of
from .provider import Provider
from .system_clients import WEB, SystemClient, new_key, registered
from .test_client_authentication import consented

INACTIVE = {"active": False}


async def worth(client: SystemClient, token: str, **fields: str) -> dict[str, Any]:
    answer = await client.ask("/oauth2/introspect", token=token, **fields)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    return dict(answer.json())


async def give_up(provider: Provider, front_end: FrontEnd, token: str, **fields: str) -> httpx.Response:
    return await provider.http.post("/oauth2/revoke", data={"client_id": front_end.client_id, "token": token, **fields})


async def revoked_sessions(provider: Provider) -> list[str]:
    query = "select payload from outbox where type like '%session.revoked.v1'"
    async with provider.database.read() as session:
        return [Envelope.model_validate_json(each).data["session_id"] for each in await session.scalars(text(query))]


@pytest.fixture
async def checker(provider: Provider) -> SystemClient:
    """A resource server: a service that may ask about everybody's tokens."""
    return await registered(provider, scopes=["introspect"])


async def test_a_resource_server_learns_what_an_access_token_is_worth(
    provider: Provider, checker: SystemClient
) -> None:
    person_id, tokens = await provider.signed_in()
    told = await worth(checker, tokens.access, token_type_hint="access_token")
    expected = {"active": True, "client_id": "command-line", "sub": str(person_id), "scope": SCOPE}
    assert {name: told[name] for name in expected} == expected
    assert (told["token_type"], told["aud"], told["iss"], told["acr"]) == ("Bearer", "xiangqiao", provider.issuer, "1")
    assert told["exp"] - told["iat"] == 600
    assert "username" not in told


async def test_who_is_no_resource_server_learns_of_its_own_tokens_alone(provider: Provider) -> None:
    client, other = await registered(provider), await registered(provider)
    _, tokens = await provider.signed_in()
    own = await client.token()
    assert (await worth(client, own))["sub"] == client.principal_id
    assert await worth(other, own) == INACTIVE
    assert await worth(client, tokens.access) == INACTIVE


async def test_a_refresh_token_is_told_to_the_client_it_was_given_to_alone(
    provider: Provider, checker: SystemClient
) -> None:
    _, tokens = await provider.signed_in()
    assert await worth(checker, tokens.refresh, token_type_hint="refresh_token") == INACTIVE


async def test_a_refresh_token_is_told_with_the_scopes_it_would_still_give(provider: Provider) -> None:
    client = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    _, username = await provider.open_person()
    fields = {"grant_type": "authorization_code", **await consented(provider, client, username)}
    tokens = tokens_of(await client.ask("/oauth2/token", **fields))
    assert (await worth(client, tokens.refresh))["scope"] == SCOPE
    async with provider.database.transaction() as session:
        mine = Client.client_id == client.client_id
        await session.execute(update(Client).where(mine).values(scopes=["openid"]))
    assert (await worth(client, tokens.refresh))["scope"] == "openid"


@pytest.mark.parametrize("token", ["x", "x.y.z", "..", "a" * 3000, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_token_of_ours_is_inactive_and_that_is_all(checker: SystemClient, token: str) -> None:
    assert await worth(checker, token) == INACTIVE


async def test_a_forged_token_is_inactive(provider: Provider, checker: SystemClient) -> None:
    _, tokens = await provider.signed_in()
    keys = (await provider.http.get("/oauth2/jwks")).json()["keys"]
    claims = jwt.decode(tokens.access, ECKey.import_key(keys[0]), algorithms=["ES256"]).claims
    header = {"alg": "ES256", "typ": "at+jwt", "kid": keys[0]["kid"]}
    forged = jwt.encode(header, claims, new_key(), algorithms=["ES256"])
    assert await worth(checker, forged) == INACTIVE
    assert tokens.id_token is not None
    assert await worth(checker, tokens.id_token) == INACTIVE


async def test_introspection_is_for_clients_that_prove_themselves(provider: Provider, checker: SystemClient) -> None:
    _, tokens = await provider.signed_in()
    public = await provider.http.post("/oauth2/introspect", data={"client_id": "docs", "token": tokens.access})
    nobody = await provider.http.post("/oauth2/introspect", data={"token": tokens.access})
    bearer = await provider.http.post("/oauth2/introspect", data={"token": tokens.access}, headers=tokens.headers)
    wrong = await checker._replace(secret="wrong").ask("/oauth2/introspect", token=tokens.access)
    assert {answer.status_code for answer in (public, nobody, bearer, wrong)} == {401}
    missing = await checker.ask("/oauth2/introspect")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


async def test_a_key_proves_a_client_at_introspection_too(provider: Provider) -> None:
    client = await registered(provider, key=new_key(), scopes=["introspect"])
    _, tokens = await provider.signed_in()
    answer = await client.ask("/oauth2/introspect", headers={}, token=tokens.access, **client.assertion())
    assert answer.json()["active"] is True


async def test_a_token_of_a_deactivated_or_changed_account_is_inactive(
    provider: Provider, checker: SystemClient
) -> None:
    for changed in ({"status": "deactivated"}, {"authorization_version": 99}):
        person_id, tokens = await provider.signed_in()
        async with provider.database.transaction() as session:
            await session.execute(update(Account).where(Account.account_id == person_id).values(changed))
        assert await worth(checker, tokens.access) == INACTIVE


@pytest.mark.parametrize("kind", ["access", "refresh"])
async def test_giving_up_either_token_ends_all_that_came_of_the_sign_in(
    provider: Provider, front_end: FrontEnd, checker: SystemClient, kind: str
) -> None:
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    done = await give_up(provider, front_end, getattr(second, kind))
    assert (done.status_code, done.json()) == (200, {})
    assert (await front_end.refresh(second.refresh)).json()["error"] == "invalid_grant"
    assert await worth(checker, first.access) == INACTIVE
    assert (await provider.http.get("/oauth2/userinfo", headers=second.headers)).status_code == 401
    assert claims_of(second)["sid"] in await revoked_sessions(provider)


async def test_giving_up_what_is_unknown_or_over_is_no_error(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    for token in ("x", "x.y.z", tokens.refresh, tokens.refresh, tokens.access):
        done = await give_up(provider, front_end, token, token_type_hint="something")
        assert (done.status_code, done.json()) == (200, {})
    missing = await provider.http.post("/oauth2/revoke", data={"client_id": front_end.client_id})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


async def test_nobody_gives_up_the_tokens_of_another_client(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens, stranger = await front_end.tokens(username), provider.web_front_end()
    for token in (tokens.access, tokens.refresh):
        refused = await give_up(provider, stranger, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    unproven = await provider.http.post("/oauth2/revoke", data={"client_id": "nobody", "token": tokens.refresh})
    assert (unproven.status_code, unproven.json()["error"]) == (401, "invalid_client")
    assert (await front_end.refresh(tokens.refresh)).status_code == 200


async def test_a_service_gives_up_its_own_token_and_no_other_of_its(provider: Provider, checker: SystemClient) -> None:
    client = await registered(provider)
    given_up, kept = await client.token(), await client.token()
    assert (await client.ask("/oauth2/revoke", token=given_up)).status_code == 200
    assert (await client.ask("/oauth2/revoke", token=given_up)).status_code == 200
    assert await worth(checker, given_up) == INACTIVE
    assert (await worth(checker, kept))["active"] is True
    told = await revoked_sessions(provider)
    assert told.count(claims_of(Tokens(given_up, "", None))["sid"]) == 1


def claims_of(tokens: Tokens) -> dict[str, Any]:
    """Read the claims of an access token, as its holder could."""
    payload = tokens.access.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
