"""Whatever stands in the header of a token or names a client, the provider refuses it and does not fall over it."""

import base64
import json
from typing import Any

import httpx
import pytest

from identity.assistance.exchange import ACCESS_TOKEN_TYPE, GRANT_TYPE, TICKET_TYPE

from .front_end import Tokens
from .provider import Provider
from .system_clients import ASSERTION, SystemClient, new_key, registered

NASTY: list[Any] = [1, ["a"], {"a": 1}, "", "a\0b", "a b", "\ud800", "村", "k" * 129, None]
TYPES = ("at+jwt", "JWT")
DEEP = b"[" * 1100 + b"]" * 1100


@pytest.fixture(scope="session")
async def checker(provider: Provider) -> SystemClient:
    return await registered(provider, scopes=["introspect"])


@pytest.fixture(scope="session")
async def tokens(provider: Provider) -> Tokens:
    _, signed_in = await provider.signed_in()
    return signed_in


def encoded(part: bytes | dict[str, Any]) -> str:
    plain = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def with_kid(token: str, kid: Any, typ: str) -> str:
    """Give the token with another header; its signature fits no more."""
    _, payload, signature = token.split(".")
    return f"{encoded({'alg': 'ES256', 'typ': typ, 'kid': kid})}.{payload}.{signature}"


def forged(token: str, typ: str) -> list[str]:
    made = [with_kid(token, kid, typ) for kid in NASTY]
    head, payload, signature = token.split(".")
    made += [f"{encoded(DEEP)}.{payload}.{signature}", f"{head}.{encoded(DEEP)}.{signature}"]
    return [*made, f"{encoded(b'[]')}.{payload}.{signature}", f"{head}.{payload}.", "\u20ac.a.b", ".."]


async def test_no_header_of_a_token_is_an_error_of_ours(
    provider: Provider, checker: SystemClient, tokens: Tokens
) -> None:
    for sent in forged(tokens.access, "at+jwt"):
        worth = await checker.ask("/oauth2/introspect", token=sent)
        assert (worth.status_code, worth.json()) == (200, {"active": False}), sent
        public = {"client_id": "command-line", "token": sent}
        given_up = await provider.http.post("/oauth2/revoke", data=public)
        assert (given_up.status_code, given_up.json()) == (200, {}), sent  # RFC 7009, 2.2: no error
        exchange = {
            "grant_type": GRANT_TYPE,
            "client_id": "command-line",
            "subject_token": "ticket",
            "subject_token_type": TICKET_TYPE,
            "actor_token": sent,
            "actor_token_type": ACCESS_TOKEN_TYPE,
        }
        exchanged = await provider.http.post("/oauth2/token", data=exchange)
        assert (exchanged.status_code, exchanged.json()["error"]) == (400, "invalid_request"), sent
        me = await provider.http.get("/v1/me", headers=[(b"Authorization", f"Bearer {sent}".encode())])
        assert me.status_code == 401, sent
    for sent in forged(str(tokens.id_token), "JWT"):
        ended = await provider.http.get("/oauth2/end-session", params={"id_token_hint": sent})
        assert ended.status_code == 400, sent


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("value", NASTY, ids=ascii)
async def test_no_name_of_a_client_or_of_its_key_is_an_error_of_ours(provider: Provider, value: Any) -> None:
    client = await registered(provider, key=new_key())
    grant = {"grant_type": "client_credentials"}
    good = client.assertion()["client_assertion"]
    _, payload, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    head = {"alg": "ES256", "kid": value}
    named = {"alg": "ES256", "kid": "k1"}
    for assertion in (
        f"{encoded(head)}.{payload}.{signature}",
        f"{encoded(named)}.{encoded({**claims, 'sub': value, 'iss': value})}.{signature}",
    ):
        fields = {"client_assertion_type": ASSERTION, "client_assertion": assertion, **grant}
        answer = await provider.http.post("/oauth2/token", data=fields)
        assert refusal(answer) == (401, "invalid_client"), assertion
    basic = base64.b64encode(f"{value}:secret".encode("utf-8", "surrogatepass")).decode()
    for path in ("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/device_authorization"):
        header = {"Authorization": f"Basic {basic}"}
        answer = await provider.http.post(path, data={**grant, "token": "x"}, headers=header)
        assert refusal(answer) == (401, "invalid_client"), path
