"""The job that puts a new number on file when its day has passed, and ends what nobody went on with."""

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import day_of
from database import Database, KeyRing, new_id, utc_now
from identity.accounts.phones import put_on_file
from identity.accounts.tables import Account
from identity.challenges.tables import Challenge
from identity.messages.commands import tell
from identity.phone_replacement.commands import belongs_where_proposed, is_taken
from identity.phone_replacement.lapses import lapse, lapse_of, record
from identity.phone_replacement.numbers import destroy_number, phone_in
from identity.phone_replacement.tables import PhoneReplacement
from identity.recovery.commands import lapse_recovery_of
from identity.roles.queries import was_given_a_role_since
from identity.sessions.revocation import end_all_sessions

AT_ONCE = 100
_log = logging.getLogger(__name__)


async def apply_what_is_ready(ring: KeyRing, database: Database) -> None:
    """Lapse what is out of time, then apply each that is ready; what fails is tried again at the next run."""
    now = utc_now()
    async with database.transaction() as session:
        await lapse(session, ring, PhoneReplacement.expires_at <= now, now=now)
    ready = PhoneReplacement.status == "approved", PhoneReplacement.ready_at <= now
    async with database.read() as session:
        found = select(PhoneReplacement.replacement_id).where(*ready).order_by(PhoneReplacement.ready_at)
        ids = (await session.scalars(found.limit(AT_ONCE))).all()
    for replacement_id in ids:
        try:
            async with database.transaction() as session:
                await _apply(session, ring, replacement_id, now=now)
        except Exception:  # noqa: BLE001 - one that fails holds up none behind it
            _log.exception("phone_not_replaced", extra={"replacement_id": replacement_id})


async def _apply(session: AsyncSession, ring: KeyRing, replacement_id: UUID, *, now: datetime) -> None:
    this = PhoneReplacement.replacement_id == replacement_id, PhoneReplacement.status == "approved"
    replacement = await session.scalar(select(PhoneReplacement).where(*this).with_for_update(skip_locked=True))
    if replacement is None:  # objected to, or another worker is at it
        return
    account = await session.get_one(Account, replacement.account_id)
    if account.status != "active" or not await _still_holds(session, ring, replacement, now=now):
        await lapse_of(session, ring, account.account_id, now=now)
        return
    await _complete(session, ring, replacement, now=now)
    _log.info("phone_replaced", extra={"replacement_id": replacement_id, "account_id": account.account_id})


async def _still_holds(session: AsyncSession, ring: KeyRing, replacement: PhoneReplacement, *, now: datetime) -> bool:
    """Say whether what the two officers agreed to is still theirs to decide, and the number nobody else's."""
    agreed_at = replacement.approved_at or now
    if await was_given_a_role_since(session, replacement.account_id, agreed_at, day=day_of(now)):
        return False
    return await belongs_where_proposed(session, replacement) and not await is_taken(session, ring, replacement)


async def _complete(session: AsyncSession, ring: KeyRing, replacement: PhoneReplacement, *, now: datetime) -> None:
    """Put the number in the place of the old one, which hears of it; whatever was begun by the old one ends."""
    account_id, phone = replacement.account_id, phone_in(ring, replacement)
    await tell(session, ring, account_id, "phone_replaced", language="zh", now=now)
    waiting = Challenge.account_id == account_id, Challenge.ended_at.is_(None)
    await session.execute(update(Challenge).where(*waiting).values(ended_at=now))
    await lapse_recovery_of(session, account_id)
    await put_on_file(session, ring, account_id=account_id, phone=phone, new_id=new_id, now=now)
    await end_all_sessions(session, account_id, reason="phone_replaced", now=now)
    replacement.status, replacement.completed_at = "completed", now
    await destroy_number(session, ring, replacement, "new_phone_on_file", now=now)
    await session.flush()
    await record(session, "completed", replacement, now=now)
