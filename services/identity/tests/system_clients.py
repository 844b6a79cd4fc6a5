"""Clients for tests: registered by the commands themselves, and how such a client proves itself over HTTP."""

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import update

import audit
from database import new_id, utc_now
from identity.clients.commands import approve, propose_client
from identity.clients.schemas import ClientTerms
from identity.oauth.tables import AuthorizationCode
from identity.secrets import hash_of
from webapi.versions import ANYTHING

from .front_end import SCOPES, FrontEnd, Tokens, tokens_of
from .provider import Provider

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SERVICE: dict[str, Any] = {
    "name_zh": "县级平台",
    "name_en": "County platform",
    "application_type": "service",
    "grant_types": ["client_credentials"],
    "scopes": [],
    "token_endpoint_auth_method": "client_secret_basic",
    "requests_per_minute": 600,
}
WEB_CALLBACK = "https://bulletin.example/callback"
WEB: dict[str, Any] = {
    "name_zh": "村务公开",
    "name_en": "Bulletin",
    "application_type": "web",
    "redirect_uris": [WEB_CALLBACK],
    "post_logout_redirect_uris": ["https://bulletin.example/bye"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scopes": SCOPES,
    "token_endpoint_auth_method": "none",
    "requests_per_minute": 600,
}


class SystemClient(NamedTuple):
    """A registered client and what it proves itself with."""

    provider: Provider
    client_id: str
    principal_id: str
    secret: str | None
    key: ECKey | RSAKey | None = None

    @property
    def basic(self) -> dict[str, str]:
        """The header of `client_secret_basic`, escaped as strictly as RFC 6749 allows."""
        parts = (
            quote(part, safe="").replace("-", "%2D").replace("_", "%5F") for part in (self.client_id, self.secret or "")
        )
        return {"Authorization": "Basic " + base64.b64encode(":".join(parts).encode()).decode()}

    def assertion(self, *, alg: str = "ES256", key: ECKey | RSAKey | None = None, **changed: Any) -> dict[str, str]:
        """The fields of `private_key_jwt`; None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.provider.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(8),
            **changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signing = key or self.key
        assert signing is not None
        signed = jwt.encode({"alg": alg, "kid": "k1"}, claims, signing, algorithms=[alg])
        return {"client_assertion_type": ASSERTION, "client_assertion": signed}

    async def ask(self, path: str, *, headers: Any = None, **fields: str) -> httpx.Response:
        """Send a form to one of the provider's endpoints, proven by the secret in the header unless told otherwise."""
        return await self.provider.http.post(path, data=fields, headers=self.basic if headers is None else headers)

    async def token(self, **fields: str) -> str:
        """Get a token of the client's own."""
        answer = await self.ask("/oauth2/token", grant_type="client_credentials", **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


async def registered(
    provider: Provider, template: Mapping[str, Any] = SERVICE, *, key: ECKey | RSAKey | None = None, **changed: Any
) -> SystemClient:
    """Register a client that is in force."""
    terms = {**template, **changed}
    if key is not None:
        terms["token_endpoint_auth_method"] = "private_key_jwt"
        terms["jwks"] = {"keys": [{**key.as_dict(private=False), "kid": "k1"}]}
    now, client_id = utc_now(), f"client-{secrets.token_hex(6)}"
    async with provider.database.transaction() as session:
        client, proposal = await propose_client(
            session,
            client_id=client_id,
            principal_id=new_id(),
            proposal_id=new_id(),
            terms=ClientTerms.model_validate(terms),
            by=audit.Actor(new_id()),
            now=now,
        )
        done = await approve(
            session,
            client_id=client_id,
            proposal_id=proposal.proposal_id,
            expected=ANYTHING,
            by=audit.Actor(new_id()),
            now=now,
        )
        return SystemClient(provider, client_id, str(client.principal_id), done.secret, key)


def new_key() -> ECKey:
    return ECKey.generate_key("P-256")


async def strongly_signed_in(provider: Provider, username: str, front_end: FrontEnd | None = None) -> Tokens:
    """Sign a person in as with two factors."""
    browser = front_end or provider.front_end()
    answer = await browser.sign_in(username)
    code = answer.parameters["code"]
    async with provider.database.transaction() as session:
        mine = AuthorizationCode.code_hash == hash_of(code)
        await session.execute(update(AuthorizationCode).where(mine).values(acr="2"))
    return tokens_of(await browser.redeem(code))
