"""Signing in and out: who the password belongs to, and the session that begins or ends."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Update, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import Database
from identity.accounts.passwords import Passwords
from identity.accounts.rules import normalised_username
from identity.accounts.tables import Account, Credential, Identifier
from identity.oauth.grants import revoke
from identity.oauth.provider import SignedIn, hash_of, new_secret
from identity.oauth.tables import TokenFamily
from identity.sign_in.rules import PASSWORD_ACR, PASSWORD_AMR, SESSION_LIFETIME
from identity.sign_in.tables import BrowserSession


class Proven(NamedTuple):
    """An account whose owner gave the right password; `rehashed` replaces an encoding that is no longer strong."""

    account_id: UUID
    rehashed: str | None


async def check_password(database: Database, passwords: Passwords, *, username: str, password: str) -> Proven | None:
    """Find whose username and password these are, or None.

    A name nobody has, an account without a password or out of use, and a wrong password cost the same and differ in
    nothing. No connection is held while the password is hashed. Raises `TooManySignIns`.
    """
    known_as = normalised_username(username)
    async with database.read() as session:
        row = (
            await session.execute(
                select(Account.account_id, Credential.secret)
                .join(Identifier, Identifier.account_id == Account.account_id)
                .join(Credential, Credential.account_id == Account.account_id)
                .where(Identifier.kind == "username", Identifier.plain == known_as)
                .where(Credential.kind == "password", Account.status == "active")
            )
        ).one_or_none()
    verdict = await passwords.verify(row.secret if row else None, password)
    return Proven(row.account_id, verdict.rehashed) if row and verdict.matches else None


async def begin_session(
    session: AsyncSession, proven: Proven, *, session_id: UUID, replacing: str | None, now: datetime
) -> tuple[SignedIn, str]:
    """Begin a browser session and give it with its cookie's value; the browser's former session ends."""
    if replacing is not None:
        await session.execute(_end(replacing, now))
    if proven.rehashed is not None:
        password = (Credential.account_id == proven.account_id, Credential.kind == "password")
        await session.execute(update(Credential).where(*password).values(secret=proven.rehashed))
    cookie = new_secret()
    begun = BrowserSession(
        session_id=session_id,
        cookie_hash=hash_of(cookie),
        account_id=proven.account_id,
        acr=PASSWORD_ACR,
        amr=list(PASSWORD_AMR),
        signed_in_at=now,
        expires_at=now + SESSION_LIFETIME,
    )
    session.add(begun)
    await session.flush()
    return SignedIn(proven.account_id, session_id, PASSWORD_ACR, PASSWORD_AMR, now), cookie


async def person_at(session: AsyncSession, cookie: str | None, *, now: datetime) -> SignedIn | None:
    """Give who is signed in on the browser that sent this cookie, if anybody."""
    if cookie is None:
        return None
    row = (
        await session.execute(
            select(
                BrowserSession.account_id,
                BrowserSession.session_id,
                BrowserSession.acr,
                BrowserSession.amr,
                BrowserSession.signed_in_at,
            )
            .join(Account, Account.account_id == BrowserSession.account_id)
            .where(BrowserSession.cookie_hash == hash_of(cookie), BrowserSession.ended_at.is_(None))
            .where(BrowserSession.expires_at > now, Account.status == "active")
        )
    ).one_or_none()
    return SignedIn(*row) if row else None


async def sign_out(session: AsyncSession, cookie: str, *, now: datetime) -> UUID | None:
    """End the browser's session and every token that came of it; gives the session's id if there was one."""
    session_id = await session.scalar(_end(cookie, now).returning(BrowserSession.session_id))
    if session_id is not None:
        came_of_it = TokenFamily.session_id == session_id
        await session.run_sync(lambda sync: revoke(sync, came_of_it, reason="signed_out", now=now))
    return session_id


def _end(cookie: str, now: datetime) -> Update:
    mine = (BrowserSession.cookie_hash == hash_of(cookie), BrowserSession.ended_at.is_(None))
    return update(BrowserSession).where(*mine).values(ended_at=now)
