"""How clients prove themselves at the token endpoint, and every way in which they do not."""

import asyncio
import base64
import hmac
import time
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import update

from identity.clients.tables import Client

from .front_end import FrontEnd, tokens_of
from .provider import Provider
from .system_clients import WEB, WEB_CALLBACK, SystemClient, new_key, registered

GRANT = {"grant_type": "client_credentials"}


def refused(answer: httpx.Response, *, challenged: bool) -> bool:
    """Say whether the answer is what every client gets that did not prove itself, whoever it is."""
    challenge = answer.headers.get("www-authenticate")
    expected = 'Basic realm="xiangqiao"' if challenged else None
    return (answer.status_code, answer.json()["error"], challenge) == (401, "invalid_client", expected)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_a_secret_in_the_header_or_in_the_form_as_registered(provider: Provider) -> None:
    by_header = await registered(provider)
    by_form = await registered(provider, token_endpoint_auth_method="client_secret_post")
    in_form = {"client_id": by_form.client_id, "client_secret": str(by_form.secret)}
    assert (await by_header.ask("/oauth2/token", **GRANT)).status_code == 200
    assert (await by_form.ask("/oauth2/token", headers={}, **GRANT, **in_form)).status_code == 200
    swapped = {"client_id": by_header.client_id, "client_secret": str(by_header.secret)}
    assert refused(await by_header.ask("/oauth2/token", headers={}, **GRANT, **swapped), challenged=False)
    assert refused(await by_form.ask("/oauth2/token", **GRANT), challenged=True)


async def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer(provider: Provider) -> None:
    client = await registered(provider)
    wrong = await client._replace(secret="wrong").ask("/oauth2/token", **GRANT)
    unknown = await client._replace(client_id="nobody").ask("/oauth2/token", **GRANT)
    assert refused(wrong, challenged=True)
    assert refused(unknown, challenged=True)
    assert wrong.json() == unknown.json()
    malformed = ["Basic", "Basic !!!", "Basic /w==", "Bearer x", "Basic Og=="]
    for header in malformed:
        assert refused(await client.ask("/oauth2/token", headers={"Authorization": header}, **GRANT), challenged=True)
    unproven = await client.ask("/oauth2/token", headers={}, client_id=client.client_id, **GRANT)
    assert refused(unproven, challenged=False)


async def test_a_client_proves_itself_in_one_way_and_as_one_client(provider: Provider) -> None:
    client, other = await registered(provider), await registered(provider)
    twice = await client.ask("/oauth2/token", client_id=client.client_id, client_secret=str(client.secret), **GRANT)
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert refused(await client.ask("/oauth2/token", client_id=other.client_id, **GRANT), challenged=True)
    assert (await client.ask("/oauth2/token", client_id=client.client_id, **GRANT)).status_code == 200


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
async def test_a_key_of_the_clients_own_proves_it(provider: Provider, algorithm: str) -> None:
    key = new_key() if algorithm == "ES256" else RSAKey.generate_key(2048)
    client = await registered(provider, key=key)
    for audience in (provider.issuer, f"{provider.issuer}/oauth2/token", [provider.issuer]):
        proof = client.assertion(alg=algorithm, aud=audience)
        answer = await client.ask("/oauth2/token", headers={}, **GRANT, **proof)
        assert answer.status_code == 200, answer.text


def spoiled(now: int) -> list[dict[str, Any]]:
    return [
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"aud": []},
        {"iss": "somebody"},
        {"sub": "somebody"},
        {"sub": None},
        {"sub": 7},
        {"exp": now - 60},
        {"exp": now + 3600},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e300},
        {"nbf": now + 600},
        {"iat": now + 600},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 129},
    ]


async def test_an_assertion_that_is_not_right_in_every_claim_is_refused(provider: Provider) -> None:
    client = await registered(provider, key=new_key())
    for claims in spoiled(int(time.time())):
        answer = await client.ask("/oauth2/token", headers={}, **GRANT, **client.assertion(**claims))
        assert refused(answer, challenged=False), claims


async def test_an_assertion_works_once_however_many_come_at_the_same_time(provider: Provider) -> None:
    client, other = await registered(provider, key=new_key()), await registered(provider, key=new_key())
    proof = client.assertion(jti="the same")
    answers = await asyncio.gather(
        *(client.ask("/oauth2/token", headers={}, **GRANT, **proof) for _ in range(5)),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    again = await other.ask("/oauth2/token", headers={}, **GRANT, **other.assertion(jti="the same"))
    assert again.status_code == 200


async def test_a_signature_of_another_key_or_algorithm_is_refused(provider: Provider) -> None:
    client = await registered(provider, key=new_key())
    assert client.key is not None
    proof = client.assertion()
    parts = proof["client_assertion"].split(".")
    confused = encoded(b'{"alg":"HS256","kid":"k1"}') + "." + parts[1]
    mac = hmac.digest(client.key.as_pem(private=False), confused.encode(), "sha256")
    unsigned = encoded(b'{"alg":"none","kid":"k1"}') + f".{parts[1]}."
    bad = [
        client.assertion(key=new_key()),
        client.assertion(key=RSAKey.generate_key(2048), alg="RS256"),
        {**proof, "client_assertion": f"{confused}.{encoded(mac)}"},
        {**proof, "client_assertion": ".".join([*parts[:2], parts[2][::-1]])},
        {**proof, "client_assertion": unsigned},
        {**proof, "client_assertion": "x.y.z"},
        {**proof, "client_assertion": "xyz"},
        {**proof, "client_assertion_type": "urn:something"},
        {"client_assertion": proof["client_assertion"]},
    ]
    for each in bad:
        assert refused(await client.ask("/oauth2/token", headers={}, **GRANT, **each), challenged=False)
    by_secret = await registered(provider)
    stolen = client._replace(client_id=by_secret.client_id).assertion()
    assert refused(await by_secret.ask("/oauth2/token", headers={}, **GRANT, **stolen), challenged=False)


async def test_client_credentials_are_for_services_and_carry_no_person(provider: Provider) -> None:
    client = await registered(provider, scopes=["introspect"])
    answer = await client.ask("/oauth2/token", **GRANT)
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (body["expires_in"], body["scope"]) == (600, "introspect")
    assert not {"refresh_token", "id_token"} & body.keys()
    for scope in ("openid", "profile", "introspect openid", "everything"):
        wrong = await client.ask("/oauth2/token", scope=scope, **GRANT)
        assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_scope"), scope
    web = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    not_allowed = await web.ask("/oauth2/token", **GRANT)
    assert (not_allowed.status_code, not_allowed.json()["error"]) == (400, "unauthorized_client")


async def test_a_clients_own_token_opens_what_is_for_everybody_and_no_person(provider: Provider) -> None:
    client = await registered(provider, scopes=["identity.read"])
    headers = {"Authorization": f"Bearer {await client.token()}"}
    assert (await provider.http.get("/v1/roles", headers=headers)).status_code == 200
    assert (await provider.http.get("/oauth2/userinfo", headers=headers)).status_code == 403
    assert (await provider.http.get("/v1/clients", headers=headers)).status_code == 403


async def consented(provider: Provider, client: SystemClient, username: str) -> dict[str, str]:
    """Go through sign-in and consent as a browser would; gives what arrives at the client."""
    browser = FrontEnd(provider.issuer, client.client_id, WEB_CALLBACK)
    sent = await browser.authorize()
    page = await browser.http.get(sent.headers["location"])
    answer = await browser.submit(page, username=username, password="correct horse")
    while not answer.headers["location"].startswith(WEB_CALLBACK):
        page = await browser.http.get(answer.headers["location"])
        answer = await browser.submit(page, decision="approve") if page.status_code == 200 else page
    code = httpx.URL(answer.headers["location"]).params["code"]
    await browser.http.aclose()
    return {"code": code, "code_verifier": browser.verifier, "redirect_uri": WEB_CALLBACK}


async def test_a_confidential_front_end_proves_itself_to_redeem_and_to_refresh(provider: Provider) -> None:
    client = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    _, username = await provider.open_person()
    fields = {"grant_type": "authorization_code", **await consented(provider, client, username)}
    assert refused(
        await client.ask("/oauth2/token", headers={}, client_id=client.client_id, **fields), challenged=False
    )
    tokens = tokens_of(await client.ask("/oauth2/token", **fields))
    again = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
    assert refused(await client.ask("/oauth2/token", headers={}, client_id=client.client_id, **again), challenged=False)
    other = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
    stolen = await other.ask("/oauth2/token", **again)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert (await client.ask("/oauth2/token", **again)).status_code == 200


async def test_a_scope_that_was_taken_from_a_client_is_gone_at_its_next_refresh(provider: Provider) -> None:
    client = await registered(provider, WEB)
    _, username = await provider.open_person()
    public = {"client_id": client.client_id}
    fields = {"grant_type": "authorization_code", **public, **await consented(provider, client, username)}
    tokens = tokens_of(await client.ask("/oauth2/token", headers={}, **fields))
    async with provider.database.transaction() as session:
        mine = Client.client_id == client.client_id
        await session.execute(update(Client).where(mine).values(scopes=["openid"]))
    again = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, **public}
    assert (await client.ask("/oauth2/token", headers={}, **again)).json()["scope"] == "openid"
