"""A notice to the phone that an account has on file."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing
from identity.accounts.phones import phone_of
from identity.messages.commands import send


async def tell(
    session: AsyncSession, ring: KeyRing, account_id: UUID, text: str, *, language: str, now: datetime, **values: str
) -> None:
    """Send a notice to the phone on file, if there is one."""
    phone = await phone_of(session, ring, account_id)
    if phone is not None:
        await send(
            session, ring, account_id=account_id, phone=phone, text=text, values=values, language=language, now=now
        )
