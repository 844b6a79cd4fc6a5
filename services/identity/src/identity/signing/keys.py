"""The keys that sign tokens: made here, kept sealed, published as a JSON Web Key Set."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated, known
from identity.signing.tables import SigningKey

ALGORITHM = "ES256"
PUBLISHED_AFTER_RETIREMENT = timedelta(hours=1)
"""Longer than any token it signed lives, and than any verifier keeps the set."""


_ACTIVE = select(SigningKey.kid).where(SigningKey.state == "active")


class NoSigningKey(Exception):
    """There is no active signing key: the first start has not finished."""


class Signer(NamedTuple):
    """One private key and its id."""

    kid: str
    key: ECKey

    def sign(self, claims: dict[str, Any], *, typ: str) -> str:
        """Sign `claims` as a compact JWT of the type `typ`, naming the key."""
        header = {"alg": ALGORITHM, "typ": typ, "kid": self.kid}
        return jwt.encode(header, claims, self.key, algorithms=[ALGORITHM])


class SigningKeys:
    """The service's signing keys: which one signs is asked of the database each time, so a rotation holds at once.

    The private key that signs stays open in memory, by its id.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._opened: dict[str, Signer] = {}

    async def signer(self, session: AsyncSession) -> Signer:
        """Give the active key. Raises `NoSigningKey`, and `database.SealBroken` under a wrong key ring."""
        kid = known(await session.scalar(_ACTIVE), NoSigningKey)
        if kid not in self._opened:
            # Read together: between two statements the key may retire and lose its private part.
            row = (await session.execute(_ACTIVE.add_columns(SigningKey.sealed_private))).one()
            kid = row.kid
            self._opened = {
                kid: Signer(kid, ECKey.import_key(self._ring.unwrap(row.sealed_private, binding=_binding(kid))))
            }
        return self._opened[kid]

    async def create(self, session: AsyncSession, *, state: str, now: datetime) -> str:
        """Make a key pair in `state` and give its id, the RFC 7638 thumbprint of the public key."""
        key = ECKey.generate_key("P-256")
        kid = key.thumbprint()
        public = {**key.as_dict(private=False), "kid": kid, "alg": ALGORITHM, "use": "sig"}
        sealed = self._ring.wrap(key.as_pem(private=True), binding=_binding(kid))
        made = SigningKey(kid=kid, state=state, public_jwk=public, sealed_private=sealed, made_at=now)
        made.activated_at = now if state == "active" else None
        session.add(made)
        await session.flush()
        return kid


def published(now: datetime) -> ColumnElement[bool]:
    """Give the predicate of the keys whose signatures hold for anybody who reads the set now."""
    return or_(SigningKey.state != "retired", SigningKey.retired_at > now - PUBLISHED_AFTER_RETIREMENT)


async def key_set(session: AsyncSession, *, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Give the JSON Web Key Set (RFC 7517): every key that signs, will sign, or signed a token that may still live."""
    keys = await session.scalars(select(SigningKey.public_jwk).where(published(now)).order_by(SigningKey.made_at))
    return {"keys": list(keys)}


def _binding(kid: str) -> bytes:
    return associated("signing_key", "sealed_private", kid)
