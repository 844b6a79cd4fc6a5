"""Replacing the phone on file: proposed and confirmed before one officer, approved by a second, open to objection."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from database import KeyRing, insert_new, known
from identity.accounts.authorization import AccountUnknown
from identity.accounts.phones import belongs_to_another
from identity.accounts.remit import belongs_to, require_account_within
from identity.accounts.tables import Account
from identity.challenges.commands import Asking, answer, issue
from identity.messages.commands import tell
from identity.phone_replacement.lapses import OPEN, lapse, record
from identity.phone_replacement.numbers import destroy_number, phone_in, sealed
from identity.phone_replacement.rules import (
    APPLY_WITHIN,
    APPROVE_WITHIN,
    CONFIRM_WITHIN,
    OBJECT_WITHIN,
    PURPOSE,
    OwnReplacement,
    ReplacementOver,
    ReplacementUnderWay,
    ReplacementUnknown,
)
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.notice_codes import notice_code
from identity.recovery.officers import require_independent_officers
from identity.recovery.rules import AlreadyApproved
from identity.roles.reach import require_roles_within


async def propose_phone(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    phone: str,
    by: audit.Actor,
    asking: Asking,
    objection: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> PhoneReplacement:
    """Send a code to a (normalised) number that is to be an account's, and tell the number on file where to object.

    `objection` is that address. Whether somebody else has the number is told only to who can read its code. A number
    that was proposed before gives way when it is not confirmed, or the person belongs elsewhere now. Raises
    `OwnReplacement`, `orgtree.OutsideRemit`, `RoleBeyondRemit`, `AccountUnknown`, `NotIndependent`,
    `ReplacementUnderWay` and `TooOften`.
    """
    if account_id == by.actor:
        raise OwnReplacement
    account = await require_account_within(session, account_id, by.remit)
    if account.status != "active":
        raise AccountUnknown
    await require_roles_within(session, account_id, by.remit, today=day_of(now))
    organisation_id = await belongs_to(session, account)
    await require_independent_officers(
        session, subject_id=account_id, organisation_id=organisation_id, actor=by.actor, given=(), now=now
    )
    gives_way = or_(
        PhoneReplacement.status == "proposed",
        PhoneReplacement.expires_at <= now,
        PhoneReplacement.organisation_id != organisation_id,
    )
    await lapse(session, ring, PhoneReplacement.account_id == account_id, gives_way, now=now)
    replacement_id = new_id()
    challenge_id = await issue(
        session,
        ring,
        purpose=PURPOSE,
        phone=phone,
        account_id=account_id,
        asking=asking,
        now=now,
        new_id=new_id,
    )
    row = {
        "replacement_id": replacement_id,
        "account_id": account_id,
        "organisation_id": organisation_id,
        "status": "proposed",
        "sealed_phone": sealed(ring, replacement_id, phone),
        "challenge_id": challenge_id,
        "proposed_by": by.actor,
        "proposed_at": now,
        "expires_at": now + CONFIRM_WITHIN,
    }
    if not await insert_new(session, PhoneReplacement, row):
        raise ReplacementUnderWay
    words = {"address": objection, "code": notice_code(ring, replacement_id)}
    await tell(session, ring, account_id, "phone_replacement_proposed", language="zh", now=now, **words)
    replacement = await session.get_one(PhoneReplacement, replacement_id)
    await record(session, "proposed", replacement, now=now, by=by)
    return replacement


async def confirm_phone(
    session: AsyncSession, ring: KeyRing, *, replacement_id: UUID, code: str, by: audit.Actor, now: datetime
) -> PhoneReplacement | None:
    """Take the code that came to the new number, from the officer who proposed it; None when it is wrong.

    Let the transaction commit whatever it says, else a wrong try would not count. Raises `ReplacementUnknown` and
    `ReplacementOver`.
    """
    replacement = await _seen_by(session, by, replacement_id)
    if replacement.proposed_by != by.actor:
        raise ReplacementUnknown
    _require(replacement, "proposed", now)
    verdict = await answer(session, ring, challenge_id=replacement.challenge_id, purpose=PURPOSE, code=code, now=now)
    if not verdict.accepted:
        return None
    replacement.status, replacement.confirmed_at = "confirmed", now
    replacement.expires_at = now + APPROVE_WITHIN
    await session.flush()
    await record(session, "confirmed", replacement, now=now, by=by)
    return replacement


async def is_taken(session: AsyncSession, ring: KeyRing, replacement: PhoneReplacement) -> bool:
    """Say whether the number is on another account's file."""
    return await belongs_to_another(session, ring, phone_in(ring, replacement), replacement.account_id)


async def approve_phone(
    session: AsyncSession, ring: KeyRing, *, replacement_id: UUID, by: audit.Actor, objection: str, now: datetime
) -> PhoneReplacement:
    """Agree, as a second officer, to a number that was confirmed; a day later it takes the place of the old one.

    Different people stand behind the two: neither speaks by an office that the other, or the person, delegated. Raises
    `ReplacementUnknown`, `OwnReplacement`, `RoleBeyondRemit`, `ReplacementOver`, `AlreadyApproved`, `NotIndependent`.
    """
    replacement = await _seen_by(session, by, replacement_id)
    account_id, actor = replacement.account_id, by.actor
    if account_id == actor:
        raise OwnReplacement
    _require(replacement, "confirmed", now)
    if replacement.proposed_by == actor:
        raise AlreadyApproved
    await require_roles_within(session, account_id, by.remit, today=day_of(now))
    await require_independent_officers(
        session,
        subject_id=account_id,
        organisation_id=replacement.organisation_id,
        actor=actor,
        given=[(replacement.proposed_by, replacement.proposed_at)],
        now=now,
    )
    replacement.status, replacement.approved_by, replacement.approved_at = "approved", actor, now
    replacement.ready_at = now + OBJECT_WITHIN
    replacement.expires_at = replacement.ready_at + APPLY_WITHIN
    await session.flush()
    words = {"address": objection, "code": notice_code(ring, replacement_id)}
    words["hours"] = str(OBJECT_WITHIN // timedelta(hours=1))
    await tell(session, ring, account_id, "phone_replacement_approved", language="zh", now=now, **words)
    await record(session, "approved", replacement, now=now, by=by)
    return replacement


async def object_to_phone(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, replacement_id: UUID | None, now: datetime
) -> PhoneReplacement:
    """Stop the replacement on one's own account that is under way. Raises `ReplacementUnknown` when there is none."""
    found = select(PhoneReplacement).where(
        PhoneReplacement.account_id == account_id, PhoneReplacement.expires_at > now, OPEN
    )
    replacement = await session.scalar(found.with_for_update())
    if replacement is None or replacement_id not in {None, replacement.replacement_id}:
        raise ReplacementUnknown
    replacement.status, replacement.objected_at = "objected", now
    await destroy_number(session, ring, replacement, "phone_replacement_ended", now=now)
    await session.flush()
    await record(session, "objected", replacement, now=now, by=audit.Actor(actor=account_id))
    return replacement


async def belongs_where_proposed(session: AsyncSession, replacement: PhoneReplacement) -> bool:
    """Say whether the person still belongs to the organisation whose officers decide about this."""
    account = await session.get_one(Account, replacement.account_id)
    return await belongs_to(session, account) == replacement.organisation_id


async def _seen_by(session: AsyncSession, by: audit.Actor, replacement_id: UUID) -> PhoneReplacement:
    """Give and lock what is within the officer's remit. Raises `ReplacementUnknown` and `ReplacementOver`."""
    this = PhoneReplacement.replacement_id == replacement_id
    visible = orgtree.within(PhoneReplacement.organisation_id, by.remit)
    found = select(PhoneReplacement).where(this, visible).with_for_update()
    replacement = known(await session.scalar(found), ReplacementUnknown)
    if not await belongs_where_proposed(session, replacement):
        raise ReplacementOver
    return replacement


def _require(replacement: PhoneReplacement, status: str, now: datetime) -> None:
    if replacement.status != status or replacement.expires_at <= now:
        raise ReplacementOver
