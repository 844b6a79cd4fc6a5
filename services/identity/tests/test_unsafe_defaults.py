"""What authlib leaves unsafe by default, each overridden, and each seen to be so from outside.

Replay of a device code is in `test_device_grant`, refusals of token exchange in the tests of assisted sessions.
"""

import asyncio
import base64
import json
import logging
from typing import Any

import pytest

from .front_end import CALLBACK, FrontEnd, answer_of, tokens_of
from .provider import Provider
from .system_clients import WEB, WEB_CALLBACK, new_key, registered


def part(token: str, number: int) -> dict[str, Any]:
    """Read the header (0) or the claims (1) of a JWT."""
    encoded = token.split(".")[number]
    return dict(json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))))


async def test_client_credentials_live_ten_minutes_and_not_ten_days(provider: Provider) -> None:
    client = await registered(provider)
    claims = part(await client.token(), 1)
    assert claims["exp"] - claims["iat"] == 600
    assert (claims["sub"], claims["client_id"], claims["roles"]) == (client.principal_id, client.client_id, [])
    assert not {"acr", "auth_time", "authorization_version", "act"} & claims.keys()


@pytest.mark.parametrize(
    "changed", [{"code_challenge": None}, {"code_challenge_method": None}, {"code_challenge_method": "plain"}]
)
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "private_key_jwt"])
async def test_pkce_by_s256_is_asked_of_every_client(
    provider: Provider, method: str, changed: dict[str, str | None]
) -> None:
    """Check 8: absent or plain, by public clients and by confidential ones."""
    key = new_key() if method == "private_key_jwt" else None
    client = await registered(provider, WEB, key=key, token_endpoint_auth_method=method)
    browser = provider.front_end(client.client_id, WEB_CALLBACK)
    assert answer_of(await browser.authorize(**changed)).parameters["error"] == "invalid_request"
    assert "/sign-in" in (await browser.authorize()).headers["location"]


async def test_a_code_that_comes_again_ends_what_it_gave(provider: Provider, front_end: FrontEnd) -> None:
    """Check 9: the replay is refused, and the tokens of the first use are dead."""
    _, username = await provider.open_person()
    code = (await front_end.sign_in(username)).parameters["code"]
    tokens = tokens_of(await front_end.redeem(code))
    replayed = await front_end.redeem(code)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert (await front_end.refresh(tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await provider.http.get("/oauth2/userinfo", headers=tokens.headers)).status_code == 401


@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{WEB_CALLBACK}/../other",
        f"{WEB_CALLBACK}/",
        f"{WEB_CALLBACK}?extra=1",
        WEB_CALLBACK.replace("bulletin", "Bulletin"),
        WEB_CALLBACK.replace("https", "http"),
        WEB_CALLBACK.replace(".example", ".example:444"),
        f"{WEB_CALLBACK}#x",
        "https://bulletin.example@elsewhere.example/callback",
        CALLBACK,
    ],
)
async def test_an_address_that_is_not_the_registered_one_gets_no_redirect(
    provider: Provider, redirect_uri: str
) -> None:
    """Check 10: another path, query, case or scheme."""
    client = await registered(provider, WEB)
    answer = await provider.front_end(client.client_id, redirect_uri).authorize()
    assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_a_refresh_token_that_comes_again_after_its_successor_ends_its_family(
    provider: Provider, front_end: FrontEnd
) -> None:
    """Check 11, first half."""
    _, username = await provider.open_person()
    first = await front_end.tokens(username)
    second = tokens_of(await front_end.refresh(first.refresh))
    third = tokens_of(await front_end.refresh(second.refresh))
    assert (await front_end.refresh(first.refresh)).status_code == 400
    assert (await front_end.refresh(third.refresh)).status_code == 400


async def test_ten_refreshes_at_the_same_time_give_one_successor(provider: Provider, front_end: FrontEnd) -> None:
    """Check 11, second half."""
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    answers = await asyncio.gather(*(front_end.refresh(tokens.refresh) for _ in range(10)))
    assert len({tokens_of(answer).refresh for answer in answers}) == 1


async def test_every_access_token_says_what_it_is_and_which_key_signed_it(
    provider: Provider, front_end: FrontEnd
) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    refreshed = tokens_of(await front_end.refresh(tokens.refresh))
    client = await registered(provider)
    published = {key["kid"] for key in (await provider.http.get("/oauth2/jwks")).json()["keys"]}
    for token in (tokens.access, refreshed.access, await client.token()):
        header = part(token, 0)
        assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
        assert header["kid"] in published
    for token in (tokens.access, refreshed.access):
        claims = part(token, 1)
        assert claims["authorization_version"] >= 1
        assert claims["auth_time"] == part(tokens.access, 1)["auth_time"]


async def test_a_resource_that_was_not_granted_is_refused(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    refused = await front_end.refresh(tokens.refresh, resource="https://elsewhere.example")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"response_type": "token"},
        {"response_type": None},
        {"response_type": "code id_token"},
        {"scope": "nothing"},
        {"prompt": "none login"},
        {"request": "x"},
        {"nonce": ""},
    ],
)
async def test_no_authorization_request_is_answered_by_an_error_of_the_server(
    front_end: FrontEnd, changed: dict[str, str | None]
) -> None:
    assert (await front_end.authorize(**changed)).status_code in {303, 400}


async def test_no_token_code_or_secret_is_in_the_logs_at_debug(
    provider: Provider, front_end: FrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("authlib")]:
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(logging.DEBUG)
    _, username = await provider.open_person()
    code = (await front_end.sign_in(username)).parameters["code"]
    first = tokens_of(await front_end.redeem(code))
    second = tokens_of(await front_end.refresh(first.refresh))
    service, keyed = await registered(provider), await registered(provider, key=new_key())
    proof = keyed.assertion()
    own = await service.token()
    await keyed.ask("/oauth2/token", headers={}, grant_type="client_credentials", **proof)
    await keyed.ask("/oauth2/token", headers={}, grant_type="client_credentials", **proof)
    await service.ask("/oauth2/introspect", token=second.access)
    await service.ask("/oauth2/revoke", token=own)
    given = [code, front_end.verifier, own, str(service.secret), proof["client_assertion"], str(first.id_token)]
    secrets = [*given, first.access, first.refresh, second.access, second.refresh]
    ours = [record for record in caplog.records if not record.name.startswith(("httpcore", "httpx"))]
    assert ours
    assert not [
        record.name for secret in secrets for record in ours if secret in record.getMessage() + repr(record.__dict__)
    ]
