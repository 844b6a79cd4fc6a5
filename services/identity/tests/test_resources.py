"""Resource indicators: a token is for what was asked for, and what it is not for does not take it."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from .front_end import FrontEnd, Tokens, answer_of, tokens_of
from .provider import Provider
from .system_clients import registered


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def audience(token: str) -> Any:
    return claims_of(token)["aud"]


async def signed_in_for(provider: Provider, *resources: str) -> tuple[FrontEnd, Tokens]:
    """Sign somebody in by a front end that names these resources, each in a parameter of its own."""
    browser = provider.front_end()
    _, username = await provider.open_person()
    query = urlencode([*browser.request().items(), *(("resource", each) for each in resources)])
    sent = await browser.http.get(f"/oauth2/authorize?{query}")
    page = await browser.http.get(sent.headers["location"])
    answer = answer_of(await browser.submit(page, username=username, password="correct horse"))
    return browser, tokens_of(await browser.redeem(answer.parameters["code"]))


async def test_a_token_for_the_api_names_it_and_is_taken_by_services(provider: Provider) -> None:
    api = f"{provider.issuer}/v1"
    _, tokens = await signed_in_for(provider, api)
    assert audience(tokens.access) == ["xiangqiao", api]
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).status_code == 200


async def test_a_token_for_the_sign_in_alone_opens_no_service(provider: Provider) -> None:
    browser, tokens = await signed_in_for(provider, provider.issuer)
    assert audience(tokens.access) == provider.issuer
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).status_code == 401
    who = await provider.http.get("/oauth2/userinfo", headers=tokens.headers)
    assert (who.status_code, who.json()["sub"]) == (200, claims_of(tokens.access)["sub"])
    assert (await provider.http.get("/v1/me", headers=tokens.headers)).status_code == 401
    refreshed = tokens_of(await browser.refresh(tokens.refresh))
    assert audience(refreshed.access) == provider.issuer
    more = await browser.refresh(refreshed.refresh, resource=f"{provider.issuer}/v1")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_target")


async def test_of_several_resources_a_refresh_may_ask_for_one(provider: Provider) -> None:
    api = f"{provider.issuer}/v1"
    browser, tokens = await signed_in_for(provider, api, provider.issuer)
    assert audience(tokens.access) == ["xiangqiao", api, provider.issuer]
    narrow = tokens_of(await browser.refresh(tokens.refresh, resource=provider.issuer))
    assert audience(narrow.access) == provider.issuer
    assert audience(tokens_of(await browser.refresh(narrow.refresh)).access) == ["xiangqiao", api, provider.issuer]


async def test_without_a_resource_a_token_is_for_all_services(provider: Provider, front_end: FrontEnd) -> None:
    _, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    assert audience(tokens.access) == "xiangqiao"
    narrow = await front_end.refresh(tokens.refresh, resource=provider.issuer)
    assert narrow.json()["error"] == "invalid_target"


@pytest.mark.parametrize("resource", ["https://elsewhere.example", "xiangqiao", "/v1", "*"])
async def test_an_unknown_resource_is_an_invalid_target(provider: Provider, front_end: FrontEnd, resource: str) -> None:
    refused = answer_of(await front_end.authorize(resource=resource))
    assert (refused.parameters["error"], refused.parameters["state"]) == ("invalid_target", "state-1")
    client = await registered(provider)
    own = await client.ask("/oauth2/token", grant_type="client_credentials", resource=resource)
    assert (own.status_code, own.json()["error"]) == (400, "invalid_target")


async def test_a_client_of_its_own_asks_for_a_resource_too(provider: Provider) -> None:
    client = await registered(provider)
    assert audience(await client.token()) == "xiangqiao"
    assert audience(await client.token(resource=f"{provider.issuer}/v1")) == ["xiangqiao", f"{provider.issuer}/v1"]


async def test_a_resource_may_come_a_few_times_and_nothing_else_twice(provider: Provider, front_end: FrontEnd) -> None:
    good = [*front_end.request().items()]
    many = [("resource", f"{provider.issuer}/v1")] * 5
    for query in ([*good, *many], [*good, ("scope", "openid")]):
        answer = await front_end.http.get(f"/oauth2/authorize?{urlencode(query)}")
        assert (answer.status_code, "location" in answer.headers) == (400, False)
