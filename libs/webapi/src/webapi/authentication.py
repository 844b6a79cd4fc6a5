"""Bearer authentication: access tokens (RFC 9068, ES256), verified here with identity's keys and remembered by hash."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from webapi.problems import TOKEN_INVALID, UNAUTHENTICATED, UNAVAILABLE, Refusal
from webapi.signing_keys import KeysUnavailable, SigningKeys

LEEWAY_SECONDS: Final = 5
LONGEST_TOKEN: Final = 8192
LARGEST_CACHE: Final = 20_000
MOST_ROLES: Final = 500
_TYPES: Final = ("at+jwt", "application/at+jwt")
_CHALLENGE: Final = 'Bearer realm="xiangqiao"'


class RoleGrant(NamedTuple):
    """A role held on an organisation and all below it."""

    role: str
    organisation_id: UUID


class Assistance(NamedTuple):
    """What a helper may do in an assisted session: its id, and the actions its consent names."""

    assist_id: UUID
    actions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as the access token says: `person_id` is its `sub`, `actor` the helper who acts for that person.

    `authenticated_at` (seconds since 1970) is when the person proved who they are, at the level `acr`.
    `authorization_version` counts the changes of what the account may do, up to the token; `assistance` is there
    exactly when `actor` is.
    """

    person_id: UUID
    client_id: str
    scope: frozenset[str]
    session_id: str | None
    acr: str | None
    authenticated_at: float | None
    authorization_version: int | None
    actor: UUID | None
    assistance: Assistance | None
    roles: tuple[RoleGrant, ...]
    expires_at: float


class _Invalid(Exception):
    """A token is not acceptable; the argument says why, in words for developers."""


def _refusal(why: str) -> Refusal:
    challenge = f'{_CHALLENGE}, error="invalid_token", error_description="{why}"'
    return Refusal(TOKEN_INVALID, headers={"www-authenticate": challenge})


def bearer_token(headers: list[tuple[bytes, bytes]]) -> str:
    """Give the token of the `Authorization` header (RFC 6750); raises the 401 problem when there is none."""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.partition(b" ")
            if scheme.lower() == b"bearer" and token.strip():
                return token.strip().decode("latin-1")
            break
    raise Refusal(UNAUTHENTICATED, headers={"www-authenticate": _CHALLENGE})


class Authenticator:
    """Verifies access tokens of one issuer for one audience, each once until it expires.

    Accepted: ES256, `typ` at+jwt, a `kid` that identity publishes, the right `iss` and `aud`, now between `nbf`/`iat`
    and `exp` with five seconds of leeway.
    """

    def __init__(self, jwks_url: str, issuer: str, audience: str, *, clock: Callable[[], float] = time.time) -> None:
        self.keys = SigningKeys(jwks_url)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._known: OrderedDict[bytes, Principal] = OrderedDict()

    def known(self, token: str) -> Principal | None:
        """Give the principal of a token that was verified before and still holds."""
        digest = sha256(token.encode("latin-1")).digest()
        principal = self._known.get(digest)
        if principal is None:
            return None
        if principal.expires_at + LEEWAY_SECONDS <= self._clock():
            del self._known[digest]
            return None
        return principal

    async def authenticate(self, token: str) -> Principal:
        """Verify `token`; raises the 401 problem with what is wrong, or 503 while no key of identity is to be had."""
        principal = self.known(token)
        if principal is not None:
            return principal
        try:
            principal = await self._verify(token)
        except _Invalid as error:
            raise _refusal(str(error)) from error
        except KeysUnavailable as error:
            raise Refusal(UNAVAILABLE) from error
        while len(self._known) >= LARGEST_CACHE:
            self._known.popitem(last=False)
        self._known[sha256(token.encode("latin-1")).digest()] = principal
        return principal

    async def close(self) -> None:
        """Close the connections to identity."""
        await self.keys.close()

    async def _verify(self, token: str) -> Principal:
        if len(token) > LONGEST_TOKEN:
            raise _Invalid("the token is too long")
        try:
            parts = jws.extract_compact(token.encode("latin-1"))
            header = parts.headers()
        except (JoseError, ValueError, TypeError) as error:
            raise _Invalid("the token is malformed") from error
        kind, key_id = header.get("typ"), header.get("kid")
        if header.get("alg") != "ES256" or not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise _Invalid("the token is not an access token of this system")
        key = await self.keys.get(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise _Invalid("the key is unknown")
        try:
            genuine = jws.validate_compact(parts, key, ["ES256"])
            claims = orjson.loads(parts.payload or b"")
        except (JoseError, ValueError) as error:
            raise _Invalid("the signature or the payload is malformed") from error
        if not genuine or not isinstance(claims, dict):
            raise _Invalid("the signature is wrong")
        self._check_validity(claims)
        return _principal(claims)

    def _check_validity(self, claims: dict[str, Any]) -> None:
        now = self._clock()
        expires_at, issued_at, not_before = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
        if expires_at + LEEWAY_SECONDS <= now:
            raise _Invalid("the token expired")
        if max(issued_at, not_before) > now + LEEWAY_SECONDS:
            raise _Invalid("the token does not hold yet")
        if claims.get("iss") != self._issuer:
            raise _Invalid("the issuer is wrong")
        audience = claims.get("aud")
        if self._audience not in (audience if isinstance(audience, list) else [audience]):
            raise _Invalid("the audience is wrong")


def _moment(claims: dict[str, Any], name: str) -> float:
    """Read a NumericDate (RFC 7519); `nbf` may be absent."""
    value = claims.get(name, 0 if name == "nbf" else None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Invalid(f"{name} is missing or malformed")
    return float(value)


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise _Invalid(f"{name} is malformed")
    return value


def _count(claims: dict[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _Invalid(f"{name} is malformed")
    return value


def _assistance(claims: dict[str, Any]) -> Assistance | None:
    assist = claims.get("assist")
    if (assist is None) != (claims.get("act") is None):
        raise _Invalid("act and assist stand together")
    return None if assist is None else Assistance(UUID(assist["id"]), frozenset(map(str, assist["actions"])))


def _principal(claims: dict[str, Any]) -> Principal:
    try:
        actor = claims.get("act")
        roles = claims.get("roles") or []
        if len(roles) > MOST_ROLES:
            raise _Invalid("the token has too many roles")
        return Principal(
            person_id=UUID(claims["sub"]),
            client_id=str(claims["client_id"]),
            scope=frozenset(str(claims.get("scope", "")).split()),
            session_id=_text(claims, "sid"),
            acr=_text(claims, "acr"),
            authenticated_at=_count(claims, "auth_time"),
            authorization_version=_count(claims, "authorization_version"),
            actor=UUID(actor["sub"]) if actor else None,
            assistance=_assistance(claims),
            roles=tuple(RoleGrant(str(each["role"]), UUID(each["organisation_id"])) for each in roles),
            expires_at=float(claims["exp"]),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _Invalid("a claim is missing or malformed") from error
