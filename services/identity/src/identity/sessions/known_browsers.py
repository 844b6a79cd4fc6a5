"""Browsers an account's owner has used: during an attack on the account they alone need not wait for the attacker."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, delete, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity.accounts.tables import Identifier
from identity.levels import PASSWORD_AMR
from identity.secrets import hash_of, new_secret
from identity.sessions.tables import KnownBrowser

COOKIE = "browser"
KNOWN_FOR = timedelta(days=90)


async def is_known(session: AsyncSession, secret: str | None, named: ColumnElement[bool], *, now: datetime) -> bool:
    """Say whether the owner of an account that these names may mean signed in with this cookie before."""
    found = (
        select(KnownBrowser.account_id)
        .join(Identifier, Identifier.account_id == KnownBrowser.account_id)
        .where(KnownBrowser.secret_hash == hash_of(secret or ""), KnownBrowser.expires_at > now)
        .where(named)
    )
    return await session.scalar(found) is not None


async def is_known_to(session: AsyncSession, secret: str | None, account_id: UUID | None, *, now: datetime) -> bool:
    """Say whether an account's owner signed in with this cookie by more than the password; nobody's costs the same."""
    found = select(KnownBrowser.account_id).where(
        KnownBrowser.secret_hash == hash_of(secret or ""),
        KnownBrowser.expires_at > now,
        KnownBrowser.account_id == literal(account_id, Uuid),
        KnownBrowser.beyond_password,
    )
    return await session.scalar(found) is not None


async def remember(
    session: AsyncSession, secret: str | None, account_id: UUID, *, amr: Sequence[str], now: datetime
) -> str:
    """Remember that the account's owner signed in on the browser that sent the cookie `secret`, if it sent one.

    Whoever knows no more than the password (`amr`) is not let through where codes are counted. Gives the cookie's new
    value, which stands for all accounts of this browser: whoever had put the former one there has nothing any more.
    """
    renewed = new_secret()
    if secret is not None:
        former = KnownBrowser.secret_hash == hash_of(secret)
        await session.execute(update(KnownBrowser).where(former).values(secret_hash=hash_of(renewed)))
    stated = insert(KnownBrowser).values(
        secret_hash=hash_of(renewed),
        account_id=account_id,
        known_since=now,
        beyond_password=tuple(amr) != PASSWORD_AMR,
        expires_at=now + KNOWN_FOR,
    )
    again = {
        "expires_at": stated.excluded.expires_at,
        "beyond_password": or_(KnownBrowser.beyond_password, stated.excluded.beyond_password),
    }
    await session.execute(
        stated.on_conflict_do_update(index_elements=[KnownBrowser.secret_hash, KnownBrowser.account_id], set_=again)
    )
    return renewed


async def forget_browsers(session: AsyncSession, account_id: UUID) -> None:
    """Forget every browser of an account: its sessions are ended because somebody else may hold them."""
    await session.execute(delete(KnownBrowser).where(KnownBrowser.account_id == account_id))
