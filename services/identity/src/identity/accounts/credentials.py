"""Changing what opens one's own account: the password, and the phone that codes come to."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing
from identity.accounts.tables import Credential, Identifier
from identity.messages.commands import send
from identity.oauth.tables import TokenFamily
from identity.phone_replacement.lapsing import lapse_of
from identity.phones import phone_of, put_on_file
from identity.sessions.revoking import end_browser_sessions, end_waiting_devices, revoke_families
from identity.sign_in.tables import BrowserSession
from identity.throttling.browsers import forget_browsers


async def username_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the username of an account."""
    mine = Identifier.account_id == account_id, Identifier.kind == "username"
    return await session.scalar(select(Identifier.plain).where(*mine))


async def encoding_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the encoded password of an account, None when it has none."""
    mine = Credential.account_id == account_id, Credential.kind == "password"
    return await session.scalar(select(Credential.secret).where(*mine))


async def first_encoding_of(session: AsyncSession, account_id: UUID) -> str | None:
    """Give the encoded password that an account was opened with, None when its owner has chosen one since."""
    mine = Credential.account_id == account_id, Credential.kind == "password", Credential.first_until.is_not(None)
    return await session.scalar(select(Credential.secret).where(*mine).with_for_update())


async def set_password(
    session: AsyncSession, *, account_id: UUID, encoding: str, new_id: Callable[[], UUID], now: datetime
) -> None:
    """Make this encoded password, which its owner chose, the account's one password."""
    stated = insert(Credential).values(
        credential_id=new_id(), account_id=account_id, kind="password", secret=encoding, set_at=now
    )
    await session.execute(
        stated.on_conflict_do_update(
            index_elements=[Credential.account_id],
            index_where=text("kind = 'password'"),  # as a parameter, a generic plan could not tell which index
            set_={"secret": encoding, "set_at": now, "first_until": None},
        )
    )


async def change_password(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    encoding: str,
    keeping: UUID | None,
    at: UUID | None = None,
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Set a new password; every session ends, and the phone on file hears of it.

    What stays is the family `keeping` with its browser session, or the browser session `at` with all that came of it.
    """
    await set_password(session, account_id=account_id, encoding=encoding, new_id=new_id, now=now)
    kept = select(TokenFamily.session_id).where(TokenFamily.family_id == keeping).scalar_subquery()
    others = BrowserSession.session_id.is_distinct_from(kept), BrowserSession.session_id.is_distinct_from(at)
    await end_browser_sessions(session, BrowserSession.account_id == account_id, *others, now=now)
    await end_waiting_devices(session, account_id, now=now)
    families = [TokenFamily.account_id == account_id, TokenFamily.family_id.is_distinct_from(keeping)]
    if at is not None:
        families.append(TokenFamily.session_id.is_distinct_from(at))
    await revoke_families(session, *families, reason="password_changed", now=now, actor=account_id)
    await forget_browsers(session, account_id)
    await tell(session, ring, account_id, "password_changed", language=language, now=now)


async def change_phone(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    phone: str,
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Put a number that was confirmed on file; the former one hears of it. Raises `PhoneTaken`."""
    if await phone_of(session, ring, account_id) != phone:
        await lapse_of(session, ring, account_id, now=now)  # who lost a phone has found it, or never lost one
        await tell(session, ring, account_id, "phone_changed", language=language, now=now)
        await put_on_file(session, ring, account_id=account_id, phone=phone, new_id=new_id, now=now)


async def tell(
    session: AsyncSession, ring: KeyRing, account_id: UUID, text: str, *, language: str, now: datetime, **values: str
) -> None:
    """Send a notice to the phone on file, if there is one."""
    phone = await phone_of(session, ring, account_id)
    if phone is not None:
        await send(
            session, ring, account_id=account_id, phone=phone, text=text, values=values, language=language, now=now
        )
