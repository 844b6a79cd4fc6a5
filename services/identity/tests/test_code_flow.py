"""The authorization code flow over real HTTP: what a front end gets, and every way in which it must not get it."""

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import update

import orgtree
from identity.oauth.tables import AuthorizationCode
from identity.pages.html import TEXTS
from identity.sessions.tables import BrowserSession
from webapi.problems import KNOWN

from .front_end import CALLBACK, SCOPE, FrontEnd, answer_of, tokens_of
from .provider import Provider
from .system_clients import WEB, WEB_CALLBACK, registered


async def opened(provider: Provider, token: str) -> jwt.Token:
    """Verify a token with the keys the provider publishes."""
    keys = (await provider.http.get("/oauth2/jwks")).raise_for_status().json()
    return jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])


async def test_a_person_signs_in_and_the_front_end_gets_verifiable_tokens(
    provider: Provider, front_end: FrontEnd
) -> None:
    county = await provider.establish()
    person_id, username = await provider.open_person(("officer", county), ("registrar", orgtree.ROOT_ID))

    answer = await front_end.sign_in(username)
    assert answer.address == CALLBACK
    assert answer.parameters["state"] == "state-1"
    assert answer.parameters["iss"] == provider.issuer  # RFC 9207
    response = await front_end.redeem(answer.parameters["code"])

    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, SCOPE)
    token = await opened(provider, body["access_token"])
    assert token.header["typ"] == "at+jwt"
    assert token.header["alg"] == "ES256"
    assert token.header["kid"]
    claims = token.claims
    expected = {
        "iss": provider.issuer,
        "sub": str(person_id),
        "aud": "xiangqiao",
        "client_id": "command-line",
        "scope": SCOPE,
        "acr": "1",
        "roles": [
            {"role": "officer", "organisation_id": str(county)},
            {"role": "registrar", "organisation_id": str(orgtree.ROOT_ID)},
        ],
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims["exp"] - claims["iat"] == 600
    assert UUID(claims["sid"]) != UUID(claims["jti"])


async def test_the_id_token_is_bound_to_the_request_and_the_access_token(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username, nonce="a nonce of the client")
    assert tokens.id_token is not None
    token = await opened(provider, tokens.id_token)
    half = hashlib.sha256(tokens.access.encode()).digest()[:16]
    assert token.header["kid"]
    assert token.claims["iss"] == provider.issuer
    assert token.claims["aud"] == ["command-line"]
    assert token.claims["sub"] == str(person_id)
    assert token.claims["nonce"] == "a nonce of the client"
    assert token.claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert token.claims["preferred_username"] == username
    assert token.claims["auth_time"] <= token.claims["iat"]


async def test_a_scope_without_openid_gives_no_id_token_and_unknown_scopes_are_ignored(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    answer = await front_end.sign_in(username, scope="profile everything")
    body = (await front_end.redeem(answer.parameters["code"])).json()
    assert body["scope"] == "profile"
    assert "id_token" not in body


async def test_userinfo_says_what_the_scope_asks_for(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    with_name = await front_end.tokens(username)
    without = await front_end.tokens(username, scope="openid")
    told = await provider.http.get("/oauth2/userinfo", headers=with_name.headers)
    assert told.json() == {"sub": str(person_id), "preferred_username": username}
    assert (await provider.http.post("/oauth2/userinfo", headers=without.headers)).json() == {"sub": str(person_id)}
    refused = await provider.http.get("/oauth2/userinfo")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "tooshort"},
    ],
)
@pytest.mark.parametrize("confidential", [False, True])
async def test_no_client_gets_a_code_without_an_s256_challenge(
    provider: Provider, front_end: FrontEnd, spoilt: dict[str, Any], confidential: bool
) -> None:
    if confidential:
        client = await registered(provider, WEB, token_endpoint_auth_method="client_secret_basic")
        front_end = provider.front_end(client.client_id, WEB_CALLBACK)
    answer = answer_of(await front_end.authorize(**spoilt))
    assert answer.address == front_end.redirect_uri
    assert answer.parameters["error"] == "invalid_request"
    assert answer.parameters["state"] == "state-1"
    assert "code" not in answer.parameters


@pytest.mark.parametrize("verifier", [None, "a" * 43, "short", "a" * 43 + "\n"])
async def test_a_code_is_worth_nothing_without_its_verifier(
    provider: Provider, front_end: FrontEnd, verifier: str | None
) -> None:
    _, username = await provider.open_person()
    answer = await front_end.sign_in(username)
    refused = await front_end.redeem(answer.parameters["code"], code_verifier=verifier)
    assert refused.status_code == 400
    assert refused.json()["error"] in {"invalid_grant", "invalid_request"}
    assert "access_token" not in refused.json()


async def test_a_replayed_code_is_refused_and_its_tokens_die(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    answer = await front_end.sign_in(username)
    tokens = tokens_of(await front_end.redeem(answer.parameters["code"]))
    assert (await provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 200

    replayed = await front_end.redeem(answer.parameters["code"])
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    refused = await front_end.refresh(tokens.refresh)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    dead = await provider.http.get("/oauth2/userinfo", headers=tokens.headers)
    assert dead.status_code == 401
    assert 'error="invalid_token"' in dead.headers["www-authenticate"]


async def test_a_code_dies_after_a_minute(provider: Provider, front_end: FrontEnd) -> None:
    person_id, username = await provider.open_person()
    answer = await front_end.sign_in(username)
    async with provider.database.transaction() as session:
        row = AuthorizationCode.account_id == person_id
        await session.execute(update(AuthorizationCode).where(row).values(expires_at=AuthorizationCode.issued_at))
    assert (await front_end.redeem(answer.parameters["code"])).json()["error"] == "invalid_grant"


async def test_a_code_serves_only_the_client_and_address_it_was_given_to(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    code = (await front_end.sign_in(username)).parameters["code"]
    assert (await front_end.redeem(code, client_id="docs")).json()["error"] == "invalid_grant"
    elsewhere = await front_end.redeem(code, redirect_uri="http://127.0.0.1:9999/callback")
    assert elsewhere.json()["error"] == "invalid_grant"
    assert (await front_end.redeem(code, redirect_uri=None)).json()["error"] == "invalid_grant"
    assert (await front_end.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    "trick",
    [
        "{registered}/../evil",
        "{registered}?more=1",
        "{registered}#fragment",
        "{registered}/",
        "{upper}",
        "{registered}@evil.example",
        "https://evil.example/callback",
        "javascript:alert(1)",
        '{registered}"quoted\\',
        "{registered}；中文",
    ],
)
@pytest.mark.parametrize("client_id", ["docs", "command-line"])
async def test_another_redirect_uri_gets_a_page_and_no_redirect(provider: Provider, trick: str, client_id: str) -> None:
    front_end = provider.front_end() if client_id == "command-line" else provider.web_front_end()
    registered = front_end.redirect_uri
    path = urlsplit(registered).path
    uri = trick.format(registered=registered, upper=registered.replace(path, path.upper()))
    for response in (await front_end.authorize(redirect_uri=uri), await _page(front_end, redirect_uri=uri)):
        assert response.status_code == 400
        assert "location" not in response.headers
        assert "invalid_request" in response.text


async def _page(front_end: FrontEnd, **changed: str | None) -> httpx.Response:
    return await front_end.http.get("/sign-in", params=front_end.request(**changed))


async def test_the_port_of_a_native_application_is_free_and_that_of_a_web_application_is_not(
    provider: Provider,
) -> None:
    native = await provider.front_end(redirect_uri="http://127.0.0.1:50123/callback").authorize()
    assert native.headers["location"].startswith("/sign-in?")
    for uri in ("http://127.0.0.1:0/callback", "http://127.0.0.1:99999/callback", "http://localhost:8765/callback"):
        assert (await provider.front_end(redirect_uri=uri).authorize()).status_code == 400
    moved = f"http://127.0.0.1:{int(provider.issuer.rpartition(':')[2]) - 1}/docs/oauth2-redirect.html"
    assert (await provider.front_end("docs", moved).authorize()).status_code == 400


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"state": "x" * 4_001}, "invalid_request"),
        ({"nonce": "a\0b"}, "invalid_request"),
        ({"client_id": "nobody", "response_type": 'to"ken'}, "unsupported_response_type"),
    ],
)
async def test_a_faulty_request_is_shown_on_a_page_in_plain_words(
    front_end: FrontEnd, spoilt: dict[str, Any], error: str
) -> None:
    response = await front_end.authorize(**spoilt)
    assert response.status_code == 400
    assert f"<code>{error}</code>" in response.text
    assert "Go back to the app" in response.text
    why = TEXTS["en"][f"refused_{error}"]
    assert f"<p>{why}</p>" in response.text


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'to"ken'}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_refused_request_goes_back_to_a_known_client_with_the_reason(
    provider: Provider, front_end: FrontEnd, spoilt: dict[str, Any], error: str
) -> None:
    answer = answer_of(await front_end.authorize(**spoilt))
    assert answer.address == CALLBACK
    assert answer.parameters["error"] == error
    assert answer.parameters["state"] == "state-1"
    assert answer.parameters["iss"] == provider.issuer


async def test_a_repeated_parameter_is_refused(front_end: FrontEnd) -> None:
    query = urlencode([*front_end.request().items(), ("redirect_uri", "https://evil.example")])
    assert (await front_end.http.get(f"/oauth2/authorize?{query}")).status_code == 400
    twice = await front_end.http.post(
        "/oauth2/token", content="grant_type=refresh_token&grant_type=authorization_code&client_id=docs",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert "twice" in twice.json()["error_description"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_client"),
        ({"grant_type": "authorization_code", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "authorization_code", "client_id": "docs"}, "invalid_request"),
        ({"grant_type": "authorization_code", "client_id": "docs", "code": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "client_id": "command-line"}, "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "command-line", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_id": "docs"}, "invalid_client unauthorized_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "docs",
          "device_code": "x"}, "unauthorized_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": "command-line"},
         "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "docs", "x": "y" * 5_000}, "invalid_request"),
    ],
)  # fmt: skip
async def test_every_refusal_of_a_token_says_what_may_be_wrong(
    front_end: FrontEnd, form: dict[str, str], error: str
) -> None:
    refused = await front_end.http.post("/oauth2/token", data=form)
    body = refused.json()
    assert body["error"] in error.split(), body
    assert re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]{10,}", body["error_description"]), body  # RFC 6749, 5.2
    assert body["error_uri"].partition("/problems/")[2] in KNOWN


async def test_a_signed_in_person_goes_straight_on_to_a_web_client_but_not_to_a_native_one(
    provider: Provider,
) -> None:
    _, username = await provider.open_person()
    web = provider.web_front_end()
    await web.sign_in(username)
    straight = answer_of(await web.authorize())
    assert "code" in straight.parameters
    assert (await web.redeem(straight.parameters["code"])).status_code == 200
    for prompt in ("login", "select_account"):
        assert (await web.authorize(prompt=prompt)).headers["location"].startswith("/sign-in?")
    assert answer_of(await web.authorize(prompt="none")).parameters["code"]

    web.client_id, web.redirect_uri = "command-line", CALLBACK
    assert (await web.authorize()).headers["location"].startswith("/sign-in?")
    assert answer_of(await web.authorize(prompt="none")).parameters["error"] == "interaction_required"
    skipped = await web.http.get("/sign-in/second-factor", params=web.request())  # where nothing is missing
    assert skipped.headers["location"].startswith("/sign-in?")


async def test_max_age_asks_again_when_the_sign_in_is_too_old(provider: Provider) -> None:
    person_id, username = await provider.open_person()
    web = provider.web_front_end()
    await web.sign_in(username)
    assert "code" in answer_of(await web.authorize(max_age="60")).parameters
    async with provider.database.transaction() as session:
        mine = BrowserSession.account_id == person_id
        two_minutes_ago = BrowserSession.signed_in_at - timedelta(minutes=2)
        await session.execute(update(BrowserSession).where(mine).values(signed_in_at=two_minutes_ago))
    assert (await web.authorize(max_age="60")).headers["location"].startswith("/sign-in?")
    assert "code" in answer_of(await web.authorize(max_age="99999999999999999999")).parameters
