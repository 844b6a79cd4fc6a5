"""Changing a password: what was signed in by the former one ends."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.accounts.credentials import set_password
from identity.messages.commands import tell
from identity.sessions.known_browsers import forget_browsers
from identity.sessions.revocation import end_browser_sessions, end_waiting_devices, revoke_families
from identity.sessions.tables import BrowserSession, TokenFamily


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
    entry = audit.Entry(action="identity.password.changed", actor=account_id, subject=account_id)
    await audit.record(session, entry, now=now)
