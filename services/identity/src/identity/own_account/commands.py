"""Changing the phone of one's own account."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.accounts.phones import phone_of, put_on_file
from identity.messages.commands import tell
from identity.shared import Lapse


async def change_phone(
    session: AsyncSession,
    ring: KeyRing,
    *,
    by: audit.Actor,
    phone: str,
    lapses: Iterable[Lapse],
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Put a number that was confirmed on file; the former one hears of it. Raises `PhoneTaken`."""
    account_id = by.actor
    if await phone_of(session, ring, account_id) != phone:
        for lapse in lapses:  # who lost a phone has found it, or never lost one
            await lapse(session, ring, account_id, now=now)
        await tell(session, ring, account_id, "phone_changed", language=language, now=now)
        await put_on_file(session, ring, account_id=account_id, phone=phone, new_id=new_id, now=now)
    await audit.record(session, by.entry("identity.phone.changed", subject=account_id), now=now)
