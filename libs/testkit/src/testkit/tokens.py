"""An identity provider in the test process: makes access tokens like identity's and publishes its key."""

import json
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.scopes import API_SCOPES
from standalone.loopback import Answer, Asked, LoopbackServer

LIFETIME = timedelta(minutes=10)
EVERY_SCOPE = " ".join(("openid", *API_SCOPES))


class TokenIssuer(LoopbackServer):
    """Signs `at+jwt` access tokens with an ES256 key of its own; while it is open, `jwks_url` gives the public key.

    Use it in a `with` block. `new_key()` rotates: tokens signed before stay valid, the old key stays published;
    `revoke_key()` publishes the new one alone.
    """

    def __init__(
        self, *, issuer: str = "http://identity.test", audience: str = "xiangqiao", scope: str = EVERY_SCOPE
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.scope = scope
        self.key = _make_key()
        self._published = [self.key]
        super().__init__()

    @property
    def jwks_url(self) -> str:
        """Where the public keys are to be fetched."""
        return f"{self.url}/.well-known/jwks.json"

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517)."""
        return {"keys": [key.as_dict(private=False) for key in self._published]}

    def new_key(self) -> None:
        """Sign with a new key from now on."""
        self.key = _make_key()
        self._published.append(self.key)

    def revoke_key(self) -> None:
        """Sign with a new key from now on, and publish none that was before."""
        self.key = _make_key()
        self._published = [self.key]

    def token(
        self,
        person_id: UUID,
        roles: Iterable[tuple[str, UUID]] = (),
        *,
        client_id: str = "portal",
        scope: str | None = None,
        session_id: UUID | str | None = None,
        acr: str | None = None,
        authenticated_at: float | None = None,
        authorization_version: int = 1,
        actor: UUID | None = None,
        actions: Iterable[str] = (),
        issued_at: float | None = None,
        lifetime: timedelta = LIFETIME,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """Return an access token for a person who holds these roles, each on an organisation, by two factors if any.

        Without `scope` its client may do everything: it has the issuer's scopes, which are those of all services.
        `issued_at` and `authenticated_at` are in seconds since 1970, now when left out; with an `actor` it is a token
        of an assisted session that allows `actions`. `claims` and `header` replace what is made here (None
        removes it), so that a test can spoil a token.
        """
        roles = list(roles)
        issued = time.time() if issued_at is None else issued_at
        content: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(person_id),
            "client_id": client_id,
            "scope": self.scope if scope is None else scope,
            "sid": str(session_id or uuid4()),
            "acr": acr or ("2" if roles else "1"),
            "auth_time": int(issued if authenticated_at is None else authenticated_at),
            "authorization_version": authorization_version,
            "jti": str(uuid4()),
            "iat": int(issued),
            "exp": int(issued + lifetime.total_seconds()),
            "roles": [{"role": role, "organisation_id": str(organisation)} for role, organisation in roles],
            "act": {"sub": str(actor)} if actor else None,
            "assist": {"id": str(uuid4()), "actions": list(actions)} if actor else None,
            **(claims or {}),
        }
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid, **(header or {})}
        return jwt.encode(_without_none(head), _without_none(content), self.key)

    def headers(self, person_id: UUID, roles: Iterable[tuple[str, UUID]] = (), **options: Any) -> dict[str, str]:
        """Return the HTTP headers of a request by that person; `options` are those of `token`."""
        return {"Authorization": f"Bearer {self.token(person_id, roles, **options)}"}

    def respond(self, _: Asked) -> Answer:
        """Answer whatever is asked with the public keys."""
        return Answer(json.dumps(self.jwks).encode(), "application/jwk-set+json")


def forged(token: str) -> str:
    """The token with a signature of noughts: changed in each of its 86 letters, so by no chance the genuine one."""
    return token[:-86] + "A" * 86


def _make_key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)


def _without_none(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}
