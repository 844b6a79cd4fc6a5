"""Putting a message into the queue, in the transaction of what it tells about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from channels import NOTICE_LIFETIME, Texts, queue
from database import KeyRing, new_id
from identity.accounts.phones import phone_of, tell_file_phone
from identity.messages.tables import MessageToSend

TEXTS: Final = Texts("identity.messages")


async def send(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID | None,
    phone: str,
    text: str,
    values: Mapping[str, str],
    language: str,
    now: datetime,
    expires_at: datetime | None = None,
    withheld: bool = False,
) -> UUID:
    """Queue the text `text` of `texts.toml` for `phone` (normalised), filled with `values`; gives the message's id.

    It goes out after the transaction commits, at least once; the channel tells repetitions by the id. When the account
    is erased before, it never does; `account_id` is whom it is for, None where there is none or none may stop it. After
    `expires_at` (three days from now when it is left out) it is dropped. `withheld` does all the same work and sends
    nothing. Raises `KeyError` for a text that does not exist or a word that is missing.
    """
    message = TEXTS.message(new_id(), phone, text, language, values)
    until = expires_at or now + NOTICE_LIFETIME
    await queue(session, ring, MessageToSend, message, now=now, until=until, withheld=withheld, account_id=account_id)
    return message.message_id


async def tell(
    session: AsyncSession,
    ring: KeyRing,
    account_id: UUID,
    text: str,
    *,
    language: str,
    now: datetime,
    on_file: str | None = "ways_in_changed",
    **values: str,
) -> None:
    """Send a notice to the account's phone; where it has none, the one `on_file` to the phone on the member file."""
    phone = await phone_of(session, ring, account_id)
    if phone is None:
        if on_file is not None:
            await tell_file_phone(session, account_id, on_file, language=language, message_id=new_id())
    else:
        await send(
            session, ring, account_id=account_id, phone=phone, text=text, values=values, language=language, now=now
        )
