"""What the provider itself knows of a token that somebody shows: whose it is, and whether it still holds."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from identity.accounts.tables import Account
from identity.clients.tables import Client
from identity.oauth.rules import identifier_of
from identity.oauth.tables import RevokedClientToken
from identity.secrets import hash_of
from identity.sessions.tables import RefreshToken, TokenFamily
from identity.shared import TokenParties
from identity.signing.keys import ALGORITHM, published
from identity.signing.tables import SigningKey

LONGEST_TOKEN = 8192
ACCESS_TOKEN = frozenset({"at+jwt"})
ID_TOKEN = frozenset({None, "JWT"})


class ReadRefreshToken(NamedTuple):
    """A refresh token and the family it belongs to."""

    token: RefreshToken
    family: TokenFamily


async def read_refresh_token(session: AsyncSession, token: str) -> ReadRefreshToken | None:
    """Find a refresh token, used or not."""
    row = (
        await session.execute(
            select(RefreshToken, TokenFamily)
            .join(TokenFamily, TokenFamily.family_id == RefreshToken.family_id)
            .where(RefreshToken.token_hash == hash_of(token))
        )
    ).one_or_none()
    return None if row is None else ReadRefreshToken(*row)


def read_jwt(
    session: Session,
    token: str,
    *,
    types: Collection[str | None],
    parties: TokenParties,
    now: datetime,
    any_key: bool = False,
) -> dict[str, Any] | None:
    """Give the claims of a JWT of these header types that we signed, whatever its audience and end; else None.

    `any_key` is for ID tokens that come back long after: a key that retired is good enough, one revoked is not.
    """
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
        key_id = identifier_of(header.get("kid"))
        if key_id is None or header.get("typ") not in types:
            return None
        this = SigningKey.kid == key_id
        found = select(SigningKey.public_jwk).where(this if any_key else this & published(now))
        public = session.scalar(found)
        if public is None:
            return None
        claims: dict[str, Any] = jwt.decode(token, ECKey.import_key(public), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return claims if claims.get("iss") == parties.issuer else None


async def access_token_holds(session: AsyncSession, claims: dict[str, Any], *, now: datetime) -> bool:
    """Say whether an access token with these claims holds: not expired, not revoked, its owner in good standing."""
    if claims["exp"] <= now.timestamp():
        return False
    client = await session.get(Client, claims["client_id"])
    if client is None or client.status != "active":
        return False
    session_id, subject = UUID(claims["sid"]), UUID(claims["sub"])
    if subject == client.principal_id:
        revoked = select(RevokedClientToken.session_id).where(RevokedClientToken.session_id == session_id)
        return await session.scalar(revoked) is None
    family = await session.get(TokenFamily, session_id)
    if family is not None and (family.revoked_at is not None or family.expires_at <= now):
        return False
    account = await session.get(Account, subject)
    return (
        family is not None
        and account is not None
        and account.status == "active"
        and claims["authorization_version"] >= account.authorization_version
    )


async def refresh_token_holds(session: AsyncSession, read: ReadRefreshToken, *, now: datetime) -> bool:
    """Say whether a refresh token would be taken now, other than as one that was used and whose answer was lost."""
    family = read.family
    if read.token.used_at is not None or family.revoked_at is not None or family.expires_at <= now:
        return False
    if family.idle_until is not None and family.idle_until <= now:
        return False
    client = await session.get(Client, family.client_id)
    account = await session.get(Account, family.account_id)
    return client is not None and client.status == "active" and account is not None and account.status == "active"
