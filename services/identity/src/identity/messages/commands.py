"""Putting a message into the queue, in the transaction of what it tells about."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated, insert_new, new_id
from identity.accounts.phones import phone_of
from identity.messages.tables import MessageToSend
from identity.messages.texts import filled

NOTICE_LIFETIME = timedelta(days=3)
"""How long a notice is tried when its sender names no end: a gateway may be away over a weekend."""


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
    message_id = new_id()
    contents = json.dumps({"phone": phone, "parameters": filled(text, language, values)}).encode()
    row = {
        "message_id": message_id,
        "account_id": account_id,
        "text": text,
        "language": language,
        "sealed": ring.wrap(contents, binding=binding_of(message_id)),
        "withheld": withheld,
        "queued_at": now,
        "next_attempt_at": now,
        "expires_at": expires_at or now + NOTICE_LIFETIME,
    }
    await insert_new(session, MessageToSend, row)
    return message_id


def binding_of(message_id: UUID) -> bytes:
    """Give the associated data that binds the sealed part to its message."""
    return associated("message_to_send", "sealed", message_id)


async def tell(
    session: AsyncSession, ring: KeyRing, account_id: UUID, text: str, *, language: str, now: datetime, **values: str
) -> None:
    """Send a notice to the phone on file, if there is one."""
    phone = await phone_of(session, ring, account_id)
    if phone is not None:
        await send(
            session, ring, account_id=account_id, phone=phone, text=text, values=values, language=language, now=now
        )
