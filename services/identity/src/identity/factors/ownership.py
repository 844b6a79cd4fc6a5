"""What every change of a person's own ways in goes through: a fresh proof, the audit, and a word to the owner."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing, utc_now
from identity.accounts.credentials import username_of
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


class Owner(NamedTuple):
    """The owner of an account who changes what opens it, and the language in which they are told."""

    account_id: UUID
    language: str


async def require_owner(caller: AuthenticatedCaller) -> Owner:
    """Demand that the owner signed in a moment ago, with the second factor if the account has one, and give them.

    Raises the 401 problem `step_up_required`.
    """
    caller.require_acr("1", FRESH_FOR_CREDENTIALS)
    async with caller.read() as session:
        owned = await owned_by(session, caller.person_id, now=utc_now())
    caller.require_acr(owned.manage_acr, FRESH_FOR_CREDENTIALS)
    return Owner(caller.person_id, caller.language)


async def is_owner_now(session: AsyncSession, person: SignedIn, *, now: datetime) -> bool:
    """Say the same of who is signed in at a browser."""
    owned = await owned_by(session, person.account_id, now=now)
    return now - person.signed_in_at <= FRESH_FOR_CREDENTIALS and reaches(person.acr, owned.manage_acr)


async def name_on_devices(session: AsyncSession, account_id: UUID) -> str:
    """Give the name under which a device shows what it keeps for the account."""
    return await username_of(session, account_id) or "·"


async def tell_owner(
    session: AsyncSession, ring: KeyRing, owner: Owner, change: Change, *, object_id: UUID | None = None, now: datetime
) -> None:
    """Put the change into the audit and send a notice to the owner's phone, if one is on file."""
    me = owner.account_id
    entry = audit.Entry(action=f"identity.{change}", actor=me, subject=me, object_id=object_id)
    await audit.record(session, entry, now=now)
    await tell(session, ring, me, "ways_in_changed", language=owner.language, now=now)
