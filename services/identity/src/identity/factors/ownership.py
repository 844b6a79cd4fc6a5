"""What every change of a person's own ways in goes through: a fresh proof, the audit, and a word to the owner."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.clients.first_party import require_first_party
from identity.factors.required import owned_by
from identity.levels import FRESH_FOR_CREDENTIALS, SignedIn, reaches
from identity.messages.commands import tell
from webapi import AuthenticatedCaller

Change = Literal[
    "totp.added",
    "totp.removed",
    "recovery_codes.renewed",
    "passkey.added",
    "passkey.renamed",
    "passkey.removed",
    "passkey.suspected",
    "wechat.linked",
    "wechat.unlinked",
]


async def require_owner(caller: AuthenticatedCaller) -> None:
    """Demand that the owner signed in a moment ago, with the second factor if the account has one.

    Raises the 401 problem `step_up_required`, and what `require_first_party` raises.
    """
    await require_first_party(caller)
    caller.require_acr("1", FRESH_FOR_CREDENTIALS)
    async with caller.read() as session:
        owned = await owned_by(session, caller.person_id)
    caller.require_acr(owned.manage_acr, FRESH_FOR_CREDENTIALS)


async def is_owner_now(session: AsyncSession, person: SignedIn, *, now: datetime) -> bool:
    """Say the same of who is signed in at a browser."""
    owned = await owned_by(session, person.account_id)
    return now - person.signed_in_at <= FRESH_FOR_CREDENTIALS and reaches(person.acr, owned.manage_acr)


async def tell_owner(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    change: Change,
    object_id: UUID | None = None,
    language: str,
    now: datetime,
) -> None:
    """Put the change into the audit and send a notice to the owner's phone, if one is on file."""
    entry = audit.Entry(action=f"identity.{change}", actor=account_id, subject=account_id, object_id=object_id)
    await audit.record(session, entry, now=now)
    await tell(session, ring, account_id, "ways_in_changed", language=language, now=now)
