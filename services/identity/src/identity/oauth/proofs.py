"""Proofs of a key (DPoP, RFC 9449): the sender of a token request signs one, and its refresh token is bound to it."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.oauth.tables import UsedProof

PROOF_ALGORITHMS: Final = ("ES256",)
AROUND_NOW = timedelta(seconds=60)
"""How far from now a proof may say that it was made: clocks of phones differ."""

REMEMBERED_FOR = timedelta(minutes=5)
"""Longer than any proof is taken, by replicas whose clocks differ by minutes too."""

LONGEST_PROOF = 4096
LONGEST_ID = 128
_REGISTRY = jws.JWSRegistry(algorithms=PROOF_ALGORITHMS, strict_check_header=False)
"""Bounds a proof's header at 512 characters, and lets stand what it does not know there (RFC 7515, section 4)."""

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_PUBLIC = ("kty", "crv", "x", "y")
_PORTS = {"http": 80, "https": 443}


class InvalidProofError(OAuth2Error):  # type: ignore[misc]  # authlib has no types
    """The proof is no good, for a reason its sender can mend (RFC 9449, section 5)."""

    error = "invalid_dpop_proof"


class Proof(NamedTuple):
    """That the sender of a request has a key: its thumbprint (RFC 7638), and the id of what was signed with it."""

    key: str
    proof_id: str


def is_thumbprint(value: str) -> bool:
    """Say whether this can be the thumbprint of a key."""
    return _THUMBPRINT.fullmatch(value) is not None


def read_proof(headers: Sequence[str], *, method: str, address: str, now: datetime) -> Proof | None:
    """Check the `DPoP` headers of a request to `address`, its public one; None when it has none.

    Raises `InvalidProofError`. Whether the proof came before is another question: `use_proof`.
    """
    if not headers:
        return None
    if len(headers) > 1 or len(headers[0]) > LONGEST_PROOF:
        raise InvalidProofError("A request brings one DPoP proof of a few hundred characters.")
    try:
        header = jws.extract_compact(headers[0].encode("ascii")).headers()
        key, claims = _signed(headers[0], header)
        stands_at, is_for = _place(address), _place(claims["htu"])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidProofError("The DPoP proof is malformed, or was not signed by the ES256 key in it.") from error
    if claims.get("htm") != method or is_for != stands_at:
        raise InvalidProofError(f"The DPoP proof is not for {method} {address}.")
    made, earliest, latest = claims.get("iat"), (now - AROUND_NOW).timestamp(), (now + AROUND_NOW).timestamp()
    if not isinstance(made, int | float) or not earliest <= made <= latest:
        raise InvalidProofError("The DPoP proof was not made now: its iat is more than a minute away.")
    proof_id = claims.get("jti")
    if not isinstance(proof_id, str) or not 0 < len(proof_id) <= LONGEST_ID or not proof_id.isprintable():
        raise InvalidProofError("The DPoP proof has no usable jti.")
    return Proof(key.thumbprint(), proof_id)


def use_proof(session: Session, proof: Proof, *, now: datetime) -> None:
    """Note that a proof was used. Raises `InvalidProofError` when it was before, in whichever process."""
    digest = hashlib.sha256(f"{proof.key}.{proof.proof_id}".encode()).digest()
    used = insert(UsedProof).values(proof_hash=digest, expires_at=now + REMEMBERED_FOR)
    if session.scalar(used.on_conflict_do_nothing().returning(UsedProof.expires_at)) is None:
        raise InvalidProofError("The DPoP proof was used before; each request has its own jti.")


def _signed(proof: str, header: dict[str, Any]) -> tuple[ECKey, dict[str, Any]]:
    """Give the public key in the header and the claims it signed; raises what joserfc and odd types raise.

    ES256 is of one curve, for which joserfc asks the key.
    """
    jwk = header["jwk"]
    if header["typ"] != "dpop+jwt" or jwk["kty"] != "EC" or "d" in jwk:
        raise ValueError
    key = ECKey.import_key({name: jwk[name] for name in _PUBLIC})
    return key, jwt.decode(proof, key, registry=_REGISTRY).claims


def _place(address: str) -> tuple[object, ...]:
    """Give what two writings of one address share, which leaves out query and fragment (RFC 9449, section 4.3)."""
    parts = urlsplit(address)
    return parts.scheme, parts.username, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path
