"""Bearer authentication: access tokens (RFC 9068, ES256), verified here with identity's keys and remembered by hash."""

import time
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from webapi.problems import REVOCATIONS_UNKNOWN, TOKEN_INVALID, UNAUTHENTICATED, UNAVAILABLE, Refusal
from webapi.revocations import LONGEST_LIFE, Revocations
from webapi.signing_keys import KeysUnavailable, SigningKeys

LEEWAY_SECONDS: Final = 5
LONGEST_TOKEN: Final = 8192
LARGEST_CACHE: Final = 20_000
MOST_ROLES: Final = 500
_LONGEST_SECONDS: Final = LONGEST_LIFE.total_seconds() + LEEWAY_SECONDS
_TYPES: Final = ("at+jwt", "application/at+jwt")
_ECDSA: Final = ec.ECDSA(Prehashed(hashes.SHA256()))
_EXTENSIONS: Final = frozenset({"crit", "b64"})
_MOST_HEADERS: Final = 64
_LONGEST_HEADER: Final = 1024
_SIGNATURE_LENGTH: Final = 86  # 64 bytes in base64url
_from_base64: Final = cast(
    "Callable[[str], bytes]", TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64")).validator.validate_strings
)
_CHALLENGE: Final = 'Bearer realm="xiangqiao"'

K = TypeVar("K")
V = TypeVar("V")


class RoleGrant(NamedTuple):
    """A role held on an organisation and all below it."""

    role: str
    organisation_id: UUID


class Assistance(NamedTuple):
    """What a helper may do in an assisted session: its id, and the actions its consent names."""

    assist_id: UUID
    actions: frozenset[str]


class Principal(NamedTuple):
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

    @property
    def asker(self) -> UUID:
        """Who asks themselves: the helper in an assisted session."""
        return self.actor or self.person_id

    @property
    def is_person(self) -> bool:
        """Whether this is a person: a client that acts by itself neither signed in nor has an account."""
        return self.authenticated_at is not None or self.authorization_version is not None


class _Read(BaseModel):
    """What is read of a token; claims that are not named here are passed over."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Role(_Read):
    role: str
    organisation_id: str


class _Acting(_Read):
    sub: UUID


class _Assist(_Read):
    id: UUID
    actions: frozenset[str]


class _Claims(_Read):
    """The claims of an access token, as identity writes them (RFC 9068); moments are NumericDates (RFC 7519)."""

    iss: str
    aud: Any
    exp: float
    iat: float
    nbf: float = 0
    sub: UUID
    client_id: str
    scope: str = ""
    sid: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    authorization_version: int | None = None
    act: _Acting | None = None
    assist: _Assist | None = None
    roles: Annotated[list[_Role], Field(max_length=MOST_ROLES)] = []


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
    and `exp` with five seconds of leeway, which are half an hour apart at most; and none that `revocations` ends or
    whose key identity publishes no more, whether it was verified before or not. Nothing is remembered of a token on
    which `revocations` cannot judge yet.
    """

    def __init__(self, jwks_url: str, issuer: str, audience: str, *, clock: Callable[[], float] = time.time) -> None:
        self.keys = SigningKeys(jwks_url)
        self.revocations = Revocations()
        self._issuer = issuer
        self._audiences: tuple[str, ...] = (audience,)
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Principal, str]] = OrderedDict()
        self._sessions: OrderedDict[str, None] = OrderedDict()
        self._headers: OrderedDict[bytes, str] = OrderedDict()

    def known(self, token: str) -> Principal | None:
        """Give the principal of a token that was verified before and still holds; in a running event loop."""
        signed, _, signature = token.encode("latin-1").rpartition(b".")
        return self._known_by(sha256(signed).digest() + signature)

    def known_session(self, token: str) -> str | None:
        """Give the session that a token names, if another one of that session was good; it proves nothing by itself."""
        named = _session_of(token)
        return named if named in self._sessions else None

    def expect(self, given: bytes | None) -> None:
        """Take for known the session of the token in an answer of the token endpoint: its first use is to come."""
        try:
            named = _session_of(orjson.loads(given or b"")["access_token"])
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        self._know(named)

    def _know(self, session_id: str | None) -> None:
        if session_id is not None:
            self._sessions.pop(session_id, None)
            _remember(self._sessions, session_id, None)

    async def authenticate(self, token: str) -> Principal:
        """Verify `token`; raises the 401 problem with what is wrong, or 503 while it cannot be judged.

        That is while no key of identity is to be had, or it is not known which tokens of its time were ended.
        """
        signed, _, signature = token.encode("latin-1").rpartition(b".")
        digest = sha256(signed).digest()
        name = digest + signature
        principal = self._known_by(name)
        if principal is not None:
            return principal
        try:
            header, _, payload = signed.partition(b".")
            key_id = self._key_id(header)
            _check_signature(self.keys.at_hand(key_id) or await self.keys.get(key_id), signature, digest)
            claims = self._claims(payload)
            principal = _principal(claims)
        except _Invalid as error:
            raise _refusal(str(error)) from error
        except KeysUnavailable as error:
            raise Refusal(UNAVAILABLE) from error
        if self.revocations.has_ended(principal):
            raise _refusal("the token was revoked")
        if not self.revocations.judges(claims.iat):
            raise Refusal(REVOCATIONS_UNKNOWN)
        _remember(self._known, name, (principal, key_id))
        self._know(principal.session_id)
        return principal

    def accepting_also(self, audience: str) -> "Authenticator":
        """Give one that takes tokens for another audience, too; keys and revocations are those of this one."""
        other = copy(self)
        other._audiences = (*self._audiences, audience)  # noqa: SLF001 - of this very class
        other._known = OrderedDict()  # noqa: SLF001
        return other

    async def close(self) -> None:
        """Close the connections to identity."""
        await self.keys.close()

    def _known_by(self, name: bytes) -> Principal | None:
        remembered = self._known.get(name)
        if remembered is None:
            return None
        principal, key_id = remembered
        over = principal.expires_at + LEEWAY_SECONDS <= self._clock() or self.revocations.has_ended(principal)
        if over or self.keys.at_hand(key_id) is None:
            del self._known[name]
            return None
        return principal

    def _key_id(self, header: bytes) -> str:
        """Give the `kid` of a header of ours; it is the same for every token of a key, so it is read once."""
        key_id = self._headers.get(header)
        if key_id is None:
            if len(header) > _LONGEST_HEADER:
                raise _Invalid("the header is too long")
            content = _object(header)
            kind, key_id = content.get("typ"), content.get("kid")
            if content.get("alg") != "ES256" or not isinstance(kind, str) or kind.lower() not in _TYPES:
                raise _Invalid("the token is not an access token of this system")
            if _EXTENSIONS & content.keys():  # RFC 7515, 4.1.11: what is critical and not understood is refused
                raise _Invalid("the header asks for what is not supported")
            if not isinstance(key_id, str):
                raise _Invalid("the key is unknown")
            while len(self._headers) >= _MOST_HEADERS:
                self._headers.popitem(last=False)
            self._headers[header] = key_id
        return key_id

    def _claims(self, payload: bytes) -> _Claims:
        """Read the claims of a token for us that holds now."""
        if len(payload) > LONGEST_TOKEN:
            raise _Invalid("the token is too long")
        claims, now = _read_claims(payload), self._clock()
        if claims.exp + LEEWAY_SECONDS <= now:
            raise _Invalid("the token expired")
        if claims.exp - claims.iat > _LONGEST_SECONDS:  # no revocation is remembered for longer
            raise _Invalid("the token lives too long")
        latest = now + LEEWAY_SECONDS
        if claims.iat > latest or claims.nbf > latest:
            raise _Invalid("the token does not hold yet")
        if claims.iss != self._issuer:
            raise _Invalid("the issuer is wrong")
        audience = claims.aud
        if audience not in self._audiences and not (
            isinstance(audience, list) and any(mine in audience for mine in self._audiences)
        ):
            raise _Invalid("the audience is wrong")
        return claims


def _remember(those: OrderedDict[K, V], key: K, value: V) -> None:
    while len(those) >= LARGEST_CACHE:
        those.popitem(last=False)
    those[key] = value


def _check_signature(key: ec.EllipticCurvePublicKey | None, signature: bytes, digest: bytes) -> None:
    """Check an ES256 signature (RFC 7518, 3.4) of what has this SHA-256.

    Here and not by joserfc, which takes twice as long and judges the same (decision 22).
    """
    if key is None:
        raise _Invalid("the key is unknown")
    if len(signature) != _SIGNATURE_LENGTH:
        raise _Invalid("the signature is malformed")
    rs = _decoded(signature)
    try:
        key.verify(encode_dss_signature(int.from_bytes(rs[:32]), int.from_bytes(rs[32:])), digest, _ECDSA)
    except InvalidSignature as error:
        raise _Invalid("the signature is wrong") from error


def _decoded(part: bytes) -> bytes:
    """Decode base64url as JWS has it: its own alphabet and no padding (RFC 7515, 2), and one form for each content."""
    if b"+" in part or b"/" in part or b"=" in part:
        raise _Invalid("the token is malformed")
    try:
        return _from_base64(part.decode("latin-1"))
    except ValueError as error:
        raise _Invalid("the token is malformed") from error


def _object(part: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(_decoded(part))
    except ValueError as error:
        raise _Invalid("the token is malformed") from error
    if not isinstance(content, dict):
        raise _Invalid("the token is malformed")
    return content


def _session_of(token: str) -> str | None:
    try:
        named = _object(token[:LONGEST_TOKEN].encode("latin-1").split(b".")[1]).get("sid")
    except (_Invalid, IndexError):
        return None
    return named if isinstance(named, str) else None


def _read_claims(part: bytes) -> _Claims:
    try:
        claims: _Claims = _Claims.__pydantic_validator__.validate_json(_decoded(part))
    except ValidationError as error:
        place = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        raise _Invalid(f"{place[0]} is missing or malformed" if place else "the token is malformed") from None
    return claims


@lru_cache(maxsize=10_000)  # few roles, on few organisations, in very many tokens
def _role(role: str, organisation_id: str) -> RoleGrant:
    return RoleGrant(role, UUID(organisation_id))


@lru_cache(maxsize=1_000)
def _scope(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _principal(claims: _Claims) -> Principal:
    actor, assist = claims.act, claims.assist
    if (assist is None) != (actor is None):
        raise _Invalid("act and assist stand together")
    try:
        roles = tuple([_role(each.role, each.organisation_id) for each in claims.roles])
    except ValueError as error:
        raise _Invalid("roles is missing or malformed") from error
    return Principal(
        claims.sub,
        claims.client_id,
        _scope(claims.scope),
        claims.sid,
        claims.acr,
        claims.auth_time,
        claims.authorization_version,
        None if actor is None else actor.sub,
        None if assist is None else Assistance(assist.id, assist.actions),
        roles,
        claims.exp,
    )
