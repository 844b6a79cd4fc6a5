"""Only an unspoilt access token of this system is accepted, and identity may be away for a while."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from timeit import timeit
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from database import new_id
from testkit.tokens import TokenIssuer, forged
from webapi import Authenticator, Refusal


@pytest_asyncio.fixture
async def authenticator(issuer: TokenIssuer) -> AsyncIterator[Authenticator]:
    made = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
    yield made
    await made.close()


async def refusal_of(authenticator: Authenticator, token: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await authenticator.authenticate(token)
    assert authenticator.known(token) is None
    return caught.value


async def test_a_token_gives_the_principal(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    person, actor, branch = new_id(), new_id(), new_id()
    token = issuer.token(person, [("branch_secretary", branch)], actor=actor, scope="openid study", acr="2")
    principal = await authenticator.authenticate(token)
    assert (principal.person_id, principal.actor, principal.acr) == (person, actor, "2")
    assert principal.scope == {"openid", "study"}
    assert principal.roles == (("branch_secretary", branch),)
    assert authenticator.known(token) is principal


async def test_a_session_is_known_by_a_good_token_alone(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    session, person = str(new_id()), new_id()
    first, second = (issuer.token(person, session_id=session) for _ in range(2))
    await refusal_of(authenticator, forged(second))
    assert authenticator.known_session(first) is None
    await authenticator.authenticate(first)
    assert authenticator.known_session(forged(second)) == session
    signed = first.split(".")
    for odd in ("", "a", "a.b", "..", f"{signed[0]}.é.{signed[2]}", f"{signed[0]}.{'A' * 9000}.{signed[2]}"):
        assert authenticator.known_session(odd) is None, odd
    assert authenticator.known_session(issuer.token(person, claims={"sid": [session]})) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"claims": {"iss": "http://elsewhere.test"}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["another", "third"]}},
        {"claims": {"aud": None}},
        {"claims": {"exp": None}},
        {"claims": {"exp": "tomorrow"}},
        {"claims": {"exp": True}},
        {"claims": {"iat": None}},
        {"claims": {"nbf": 4_000_000_000}},
        {"claims": {"iat": 4_000_000_000}},
        {"claims": {"sub": None}},
        {"claims": {"sub": "zhang.san"}},
        {"claims": {"client_id": None}},
        {"claims": {"roles": "all"}},
        {"claims": {"roles": [{"role": "officer"}]}},
        {"claims": {"roles": [{"role": "officer", "organisation_id": "00000000-0000-7000-8000-000000000001"}] * 501}},
        {"claims": {"act": "somebody"}},
        {"claims": {"acr": 3}},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": None}},
        {"header": {"kid": "unknown"}},
        {"header": {"kid": None}},
        {"issued_at": 1.0},
        {"lifetime": timedelta(days=3650)},
        {"lifetime": timedelta(minutes=30, seconds=6)},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    authenticator: Authenticator, issuer: TokenIssuer, spoilt: dict[str, Any]
) -> None:
    refusal = await refusal_of(authenticator, issuer.token(new_id(), **spoilt))
    assert refusal.problem.status == 401
    assert refusal.headers["www-authenticate"].startswith('Bearer realm="xiangqiao", error="invalid_token"')


def unsigned(issuer: TokenIssuer, algorithm: str) -> str:
    _, payload, _ = issuer.token(new_id()).split(".")
    header = json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": issuer.key.kid}).encode()
    return f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{payload}."


async def test_other_algorithms_are_refused(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    claims = {
        "iss": issuer.issuer,
        "aud": issuer.audience,
        "sub": str(new_id()),
        "client_id": "c",
        "exp": 4_000_000_000,
    }
    header = {"typ": "at+jwt", "kid": issuer.key.kid}
    public = json.dumps(issuer.jwks["keys"][0])
    confused = jwt.encode({**header, "alg": "HS256"}, claims, OctKey.import_key(public), ["HS256"])
    other_family = jwt.encode({**header, "alg": "RS256"}, claims, RSAKey.generate_key(2048), ["RS256"])
    other_key = jwt.encode({**header, "alg": "ES256"}, claims, ECKey.generate_key("P-256"), ["ES256"])
    for token in (confused, other_family, other_key, unsigned(issuer, "none"), unsigned(issuer, "ES256")):
        assert (await refusal_of(authenticator, token)).problem.status == 401


async def test_an_altered_token_is_refused(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    head, payload, signature = issuer.token(new_id()).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["roles"] = [{"role": "system_administrator", "organisation_id": str(new_id())}]
    claimed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    spoilt = ["", "x", "a.b", "a.b.c", f"{head}.{claimed}.{signature}", f"{head}.{payload}.{signature[:-4]}", "é.é.é"]
    for token in [*spoilt, f"{head}.{payload}.{signature}" + "x" * 9000]:
        assert (await refusal_of(authenticator, token)).problem.status == 401


async def test_a_token_holds_until_it_expires_though_it_is_remembered(issuer: TokenIssuer) -> None:
    now = time.time()
    clock = [now]
    authenticator = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience, clock=lambda: clock[0])
    token = issuer.token(new_id(), issued_at=now, lifetime=timedelta(seconds=60))
    await authenticator.authenticate(token)
    clock[0] = now + 64
    assert authenticator.known(token) is not None
    clock[0] = now + 66
    assert authenticator.known(token) is None
    assert (await refusal_of(authenticator, token)).problem.status == 401
    await authenticator.close()


async def test_a_remembered_token_ends_when_its_key_is_published_no_more() -> None:
    with TokenIssuer() as own:
        authenticator = Authenticator(own.jwks_url, own.issuer, own.audience)
        token = own.token(new_id())
        await authenticator.authenticate(token)
        own.revoke_key()
        assert authenticator.known(token) is not None
        await authenticator.authenticate(own.token(new_id()))  # names a key that is not known, so the set is read again
        assert (await refusal_of(authenticator, token)).problem.status == 401
        await authenticator.close()


async def test_a_token_of_an_assisted_session_lives_half_an_hour(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    token = issuer.token(new_id(), actor=new_id(), lifetime=timedelta(minutes=30))
    assert (await authenticator.authenticate(token)).actor is not None


async def test_a_remembered_token_costs_microseconds(authenticator: Authenticator, issuer: TokenIssuer) -> None:
    token = issuer.token(new_id(), [("officer", new_id())])
    await authenticator.authenticate(token)
    times = 2000
    best = min(timeit(lambda: authenticator.known(token), number=times) for _ in range(5)) / times
    assert best < 20e-6  # about 2 on an idle machine


async def test_no_token_is_accepted_after_a_rotation_that_identity_did_not_publish(
    authenticator: Authenticator, issuer: TokenIssuer
) -> None:
    with TokenIssuer(issuer=issuer.issuer) as stranger:
        assert (await refusal_of(authenticator, stranger.token(new_id()))).problem.status == 401


async def test_a_new_key_is_found_by_many_at_once_with_few_requests() -> None:
    with TokenIssuer() as issuer:
        authenticator = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
        await authenticator.authenticate(issuer.token(new_id()))
        issuer.new_key()
        tokens = [issuer.token(new_id()) for _ in range(30)]
        principals = await asyncio.gather(*(authenticator.authenticate(token) for token in tokens))
        assert len({principal.person_id for principal in principals}) == 30
        await authenticator.close()


async def test_known_keys_serve_while_identity_is_away_and_unknown_ones_wait_for_it(headers: dict[str, str]) -> None:
    with TokenIssuer() as issuer:
        authenticator = Authenticator(issuer.jwks_url, issuer.issuer, issuer.audience)
        await authenticator.authenticate(issuer.token(new_id()))
        later = issuer.token(new_id())
        url = issuer.jwks_url
    assert (await authenticator.authenticate(later)).client_id == "portal"
    issuer.new_key()
    assert (await refusal_of(authenticator, issuer.token(new_id()))).problem.status == 503
    await authenticator.close()
    without_keys = Authenticator(url, issuer.issuer, issuer.audience)
    assert (await refusal_of(without_keys, later)).problem.status == 503
    await without_keys.close()


async def test_a_route_without_a_token_is_401_with_a_challenge(client: httpx.AsyncClient) -> None:
    for sent in ({}, {"Authorization": "Basic eHg6eHg="}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}):
        answer = await client.get("/v1/trees", headers=sent)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="xiangqiao"'
        assert answer.json()["type"] == "/problems/unauthenticated"


async def test_a_permission_that_no_role_gives_is_403_and_named(
    client: httpx.AsyncClient, issuer: TokenIssuer, person: UUID
) -> None:
    body = {"tree_id": str(new_id()), "kind": "pear"}
    for roles in ([], [("meadow", new_id())]):
        answer = await client.post("/v1/trees", json=body, headers=issuer.headers(person, roles))
        assert answer.status_code == 403
        content = answer.json()
        assert (content["type"], content["permission"]) == ("/problems/permission_missing", "orchard.tree.plant")
