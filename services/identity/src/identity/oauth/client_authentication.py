"""How clients prove themselves: not at all, by a secret, or by a key of their own (RFC 6749 2.3, RFC 7523)."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749 import ClientAuthentication, InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.clients.tables import Client
from identity.oauth.requests import ProviderRequest
from identity.oauth.tables import UsedAssertion

CONFIDENTIAL = ("client_secret_basic", "client_secret_post", "private_key_jwt")
METHODS = ("none", *CONFIDENTIAL)
ALGORITHMS = ("ES256", "RS256", "PS256")
LONGEST_ASSERTION_LIFETIME = timedelta(minutes=5)
LONGEST_JTI = 128
_LEEWAY = timedelta(seconds=5)
_KEY_TYPE = {"ES256": "EC", "RS256": "RSA", "PS256": "RSA"}


class ClientRefused(InvalidClientError):  # type: ignore[misc]  # authlib has no types
    """The client did not prove itself; whether it exists is nobody's business (RFC 6749, section 5.2)."""

    def __init__(self, *, by_header: bool) -> None:
        super().__init__(
            description="The client_id is unknown, not approved yet or suspended, or the client did not prove itself "
            "as it is registered: by its secret in the header or in the form, by a key, or by its client_id alone.",
            status_code=401,
        )
        self._by_header = by_header

    def get_headers(self) -> list[tuple[str, str]]:
        """Give the challenge to a client that used the header; a browser would ask a person for a password at it."""
        headers = [header for header in super().get_headers() if header[0] != "WWW-Authenticate"]
        return [*headers, ("WWW-Authenticate", 'Basic realm="xiangqiao"')] if self._by_header else headers


def authenticate(
    request: ProviderRequest,
    methods: Sequence[str],
    endpoint: str,
    *,
    query_client: Callable[[str], Client | None],
    assertion: "Assertion",
) -> Client:
    """Give the client of a request, by the one method the request uses; `assertion` is how those with keys do it.

    Raises `InvalidRequestError` for a request that proves itself in two ways, `ClientRefused` for any other failure.
    """
    form, header = request.form, request.headers.get("Authorization")
    used = [
        name
        for name, present in (
            ("client_secret_basic", header is not None),
            ("client_secret_post", "client_secret" in form),
            ("private_key_jwt", "client_assertion" in form),
        )
        if present
    ]
    if len(used) > 1:
        raise InvalidRequestError("A client proves itself in one way alone.")
    [method] = used or ["none"]
    refused = ClientRefused(by_header=header is not None)
    if method not in methods:
        raise refused
    registered = ClientAuthentication(query_client)
    registered.register("private_key_jwt", assertion)
    try:
        client: Client = registered.authenticate(request, [method], endpoint)
    except (InvalidClientError, ValueError) as error:  # ValueError: a header that is no UTF-8
        raise refused from error
    if form.get("client_id", client.client_id) != client.client_id:
        raise refused
    return client


class Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # authlib has no types
    """A JWT signed by the client's own key: for us alone, good for minutes, and once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, session: Session, *, issuer: str, now: datetime) -> None:
        super().__init__(leeway=int(_LEEWAY.total_seconds()))
        self._session = session
        self._issuer = issuer
        self._now = now

    def __call__(self, query_client: Any, request: ProviderRequest) -> Client | None:
        """Give the client whose assertion the request brings. Raises `InvalidClientError`."""
        try:
            client: Client | None = super().__call__(query_client, request)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidClientError(description="The assertion is malformed.") from error
        return client

    def get_audiences(self) -> list[str]:
        """Give the names under which an assertion may address us."""
        return [self._issuer, f"{self._issuer}/oauth2/token"]

    def resolve_client_public_key(self, client: Client) -> KeySet:
        """Give the keys the client was registered with."""
        if client.jwks is None:
            raise InvalidClientError(description="The client has no keys.")
        return KeySet.import_key_set(client.jwks)  # type: ignore[arg-type]  # checked when it was registered

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Check signature and claims by whichever of the client's keys fits. Raises `InvalidClientError`."""
        headers, _ = self.extract_assertion(assertion)
        for key in fitting(resolve_key, headers):
            try:
                token = jwt.decode(assertion, key, algorithms=list(ALGORITHMS))
            except (JoseError, ValueError):
                continue
            self.verify_claims(token.claims)
            return token.claims
        raise InvalidClientError(description="No key of the client made this signature.")

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Check who says it, to whom, until when, and that it was not said before."""
        issuer, audience, identifier = claims.get("iss"), claims.get("aud"), claims.get("jti")
        addressed = audience if isinstance(audience, list) else [audience]
        if issuer != claims.get("sub") or not set(map(str, addressed)) & set(self.get_audiences()):
            raise InvalidClientError(description="The assertion is not for this server, or not by its subject.")
        if not isinstance(identifier, str) or not 0 < len(identifier) <= LONGEST_JTI:
            raise InvalidClientError(description="The assertion has no usable jti.")
        now = self._now
        expires_at = _moment(claims, "exp")
        begins_at = max(_moment(claims, name) for name in ("nbf", "iat") if name in claims or name == "iat")
        if not now - _LEEWAY < expires_at <= now + LONGEST_ASSERTION_LIFETIME + _LEEWAY or begins_at > now + _LEEWAY:
            raise InvalidClientError(description="The assertion does not hold now, or holds for too long.")
        if not self._first_use(str(issuer), identifier, expires_at + _LEEWAY):
            raise InvalidClientError(description="The assertion was used before.")

    def _first_use(self, client_id: str, identifier: str, expires_at: datetime) -> bool:
        digest = hashlib.sha256(identifier.encode()).digest()
        used = insert(UsedAssertion).values(client_id=client_id, jti_hash=digest, expires_at=expires_at)
        kept = self._session.scalar(used.on_conflict_do_nothing().returning(UsedAssertion.client_id))
        return kept is not None


def fitting(keys: KeySet, headers: dict[str, Any]) -> list[ECKey | RSAKey]:
    """Give those of a client's keys that could have made a signature with these headers."""
    algorithm, key_id = headers.get("alg"), headers.get("kid")
    wanted = _KEY_TYPE.get(algorithm) if isinstance(algorithm, str) else None
    return [
        key
        for key in keys.keys
        if isinstance(key, ECKey | RSAKey)
        and key.key_type == wanted
        and key.get("alg") in {None, algorithm}
        and (key_id is None or key.get("kid") in {None, key_id})
    ]


def _moment(claims: dict[str, Any], name: str) -> datetime:
    """Read a NumericDate; a missing `iat` is no later than now."""
    value = claims.get(name, 0 if name == "iat" else None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**33:
        raise InvalidClientError(description=f"{name} is missing or malformed.")
    return datetime.fromtimestamp(value, UTC)
