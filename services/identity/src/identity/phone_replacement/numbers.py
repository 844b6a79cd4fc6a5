"""The number that a replacement is about: sealed while it is under way, and told how it ended."""

import logging
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, SealBroken, associated
from identity.messages.commands import send
from identity.phone_replacement.tables import PhoneReplacement

_log = logging.getLogger(__name__)


def sealed(ring: KeyRing, replacement_id: UUID, phone: str) -> bytes:
    """Seal a normalised number for this row."""
    return ring.wrap(phone.encode(), binding=_binding_of(replacement_id))


def phone_in(ring: KeyRing, replacement: PhoneReplacement) -> str:
    """Give the number of an open replacement. Raises `SealBroken`."""
    binding = _binding_of(replacement.replacement_id)
    return ring.unwrap(replacement.sealed_phone or b"", binding=binding).decode()


async def destroy_number(
    session: AsyncSession,
    ring: KeyRing,
    replacement: PhoneReplacement,
    text: Literal["phone_replacement_ended", "new_phone_on_file"],
    *,
    now: datetime,
) -> None:
    """Take the number out of the row; who confirmed it is told on it how the replacement ended."""
    phone = None
    if replacement.confirmed_at is not None:
        try:
            phone = phone_in(ring, replacement)
        except SealBroken:  # it goes all the same: nobody can read it, and nothing may keep the row open
            _log.exception("new_number_unreadable", extra={"replacement_id": replacement.replacement_id})
    replacement.sealed_phone = None
    if phone is not None:
        account_id = replacement.account_id
        await send(session, ring, account_id=account_id, phone=phone, text=text, values={}, language="zh", now=now)


def _binding_of(replacement_id: UUID) -> bytes:
    return associated("phone_replacement", "sealed_phone", replacement_id)
