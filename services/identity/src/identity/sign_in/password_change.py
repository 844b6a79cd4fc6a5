"""Changing a password: which will do, and that what was signed in by the former one ends."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.accounts.credentials import set_password, username_of
from identity.accounts.phones import phone_of
from identity.messages.commands import tell
from identity.sessions.known_browsers import forget_browsers
from identity.sessions.revocation import end_other_sessions
from identity.shared import IdentityShared


async def chosen_password(
    shared: IdentityShared, account_id: UUID, typed: str, *, instead_of: str | None = None
) -> str:
    """Give the encoding of a new password of the account, if it will do, holding no connection meanwhile.

    Raises `PasswordUnusable`, `PasswordUnchanged` for that of the encoding `instead_of`, and `TooManySignIns`.
    """
    async with shared.database.read() as session:
        username, phone = await username_of(session, account_id), await phone_of(session, shared.ring, account_id)
    also = [phone] if phone else []
    return await shared.passwords.choose(account_id, typed, username=username, also=also, instead_of=instead_of)


async def change_password(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    encoding: str,
    keeping: UUID | None = None,
    at: UUID | None = None,
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Set a new password; every session ends, and the phone on file hears of it.

    What stays is the family `keeping` with its browser session, or the browser session `at` with all that came of it.
    """
    await set_password(session, account_id=account_id, encoding=encoding, new_id=new_id, now=now)
    await end_other_sessions(session, account_id, family=keeping, browser=at, reason="password_changed", now=now)
    await forget_browsers(session, account_id)
    await tell(session, ring, account_id, "password_changed", language=language, now=now)
    entry = audit.Entry(action="identity.password.changed", actor=account_id, subject=account_id)
    await audit.record(session, entry, now=now)
