"""Recovering an account: asked for by code, approved by two officers where it takes them, completed after the delay.

A code to the phone alone brings back an account that holds no role. One that holds a role, or whose second factors are
lost, also takes two officers of its organisation and a day in which its owner, told on the phone on file, can object.
A phone that two officers replaced counts like any other: `identity.phone_replacement.rules` says why.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from database import KeyRing, insert_new, known
from identity.accounts.credentials import count_as_phone, set_password
from identity.accounts.remit import belongs_to
from identity.accounts.tables import Account
from identity.credentials.rules import PERSON_HEARS
from identity.factors.tables import FederatedIdentity, Passkey, RecoveryCode, Totp
from identity.messages.commands import tell
from identity.recovery.notice_codes import notice_code
from identity.recovery.officers import require_independent_officers
from identity.recovery.rules import (
    APPROVALS_NEEDED,
    DELAY,
    PROOF_LIFETIME,
    REQUEST_LIFETIME,
    AlreadyApproved,
    OwnRecovery,
    RecoveryOver,
    RecoveryUnknown,
)
from identity.recovery.tables import Recovery, RecoveryApproval
from identity.roles.queries import count_of_not_over
from identity.roles.reach import require_roles_within
from identity.secrets import hash_of, new_secret
from identity.sessions.revocation import end_all_sessions

OPEN = Recovery.status.in_(("requested", "approved"))


async def holds_a_role(session: AsyncSession, account_id: UUID, *, now: datetime) -> bool:
    """Say whether the account holds a role, or will: whether it takes officers to recover it."""
    return bool(await session.scalar(count_of_not_over(account_id, day_of(now))))


async def open_recovery_of(session: AsyncSession, account_id: UUID, *, now: datetime) -> Recovery | None:
    """Give and lock the recovery of an account that is under way; one whose time ran out lapses."""
    lapsed = Recovery.account_id == account_id, Recovery.expires_at <= now, OPEN
    await session.execute(update(Recovery).where(*lapsed).values(status="lapsed"))
    found = select(Recovery).where(Recovery.account_id == account_id, OPEN)
    return await session.scalar(found.with_for_update().execution_options(populate_existing=True))


async def begin_recovery(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    lost_device: bool,
    address: str,
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Recovery:
    """Go on with the recovery of an account whose phone gave the right code, or begin one.

    `address` is where the owner can object. It is ready at once for who holds no role and has lost no device.
    """
    officer = lost_device or await holds_a_role(session, account_id, now=now)
    under_way = await open_recovery_of(session, account_id, now=now)
    organisation_id = await belongs_to(session, await session.get_one(Account, account_id))
    if under_way is not None:
        here = under_way.organisation_id == organisation_id
        if here if under_way.needs_approval else not officer:
            return under_way
        under_way.status = "lapsed"  # since then the person was given a role, or belongs elsewhere: it takes others now
        await session.flush()
    row = {
        "recovery_id": new_id(),
        "account_id": account_id,
        "organisation_id": organisation_id,
        "status": "requested" if officer else "approved",
        "needs_approval": officer,
        "lost_device": lost_device,
        "requested_at": now,
        "ready_at": None if officer else now,
        "expires_at": now + (REQUEST_LIFETIME if officer else PROOF_LIFETIME),
    }
    inserted = await insert_new(session, Recovery, row)
    # Another code at this very moment may have won.
    begun = known(await open_recovery_of(session, account_id, now=now), RecoveryUnknown)
    if officer and inserted:
        code = notice_code(ring, begun.recovery_id)
        words = {"address": address, "code": code}
        await tell(session, ring, account_id, "recovery_requested", language=language, now=now, **words)
        await _record(session, "identity.recovery.requested", begun, now=now)
    return begun


async def approve_recovery(
    session: AsyncSession,
    ring: KeyRing,
    *,
    recovery_id: UUID,
    by: audit.Actor,
    remit: Collection[UUID],
    address: str,
    now: datetime,
) -> Recovery:
    """Agree to a recovery within `remit`; by the second officer it is approved, and ready a day later.

    Two different people stand behind the two: neither speaks by an office that the other, or the person, delegated.
    They decide where the person belongs now, over all roles of the person. Raises `RecoveryUnknown`, `OwnRecovery`,
    `AlreadyApproved`, `NotIndependent`, `RoleBeyondRemit` and `RecoveryOver`.
    """
    visible = orgtree.within(Recovery.organisation_id, remit)
    this = select(Recovery).where(Recovery.recovery_id == recovery_id, visible).with_for_update()
    recovery = known(await session.scalar(this), RecoveryUnknown)
    if recovery.account_id == by.actor:
        raise OwnRecovery
    organisation_id = await belongs_to(session, await session.get_one(Account, recovery.account_id))
    if recovery.status != "requested" or recovery.expires_at <= now or recovery.organisation_id != organisation_id:
        raise RecoveryOver
    await require_roles_within(session, recovery.account_id, remit, today=day_of(now))
    approval = {"recovery_id": recovery_id, "approver_id": by.actor, "approved_at": now}
    if not await insert_new(session, RecoveryApproval, approval):
        raise AlreadyApproved
    of_this = RecoveryApproval.recovery_id == recovery_id
    agreed = select(RecoveryApproval.approver_id, RecoveryApproval.approved_at).where(of_this)
    others = (await session.execute(agreed.where(RecoveryApproval.approver_id != by.actor))).all()
    await require_independent_officers(
        session,
        subject_id=recovery.account_id,
        organisation_id=recovery.organisation_id,
        actor=by.actor,
        given=others,
        now=now,
    )
    if len(others) + 1 >= APPROVALS_NEEDED:
        recovery.status, recovery.ready_at = "approved", now + DELAY
        recovery.expires_at = now + DELAY + REQUEST_LIFETIME
        await session.flush()
        hours = str(DELAY // timedelta(hours=1))
        words = {"hours": hours, "address": address, "code": notice_code(ring, recovery_id)}
        await tell(session, ring, recovery.account_id, "recovery_approved", language="zh", now=now, **words)
    entry = by.entry(
        "identity.recovery.approved",
        subject=recovery.account_id,
        object_id=recovery_id,
        organisation_id=recovery.organisation_id,
    )
    await audit.record(session, entry, now=now)
    return recovery


async def object_to_recovery(
    session: AsyncSession, *, account_id: UUID, recovery_id: UUID | None, now: datetime
) -> Recovery:
    """Stop the recovery of one's own account that is under way. Raises `RecoveryUnknown` when there is none."""
    recovery = known(await open_recovery_of(session, account_id, now=now), RecoveryUnknown)
    if recovery_id not in {None, recovery.recovery_id}:
        raise RecoveryUnknown
    recovery.status, recovery.objected_at = "objected", now
    recovery.proof_hash = recovery.proof_expires_at = None
    await session.flush()
    await _record(session, "identity.recovery.objected", recovery, now=now)
    return recovery


async def lapse_recovery_of(session: AsyncSession, account_id: UUID) -> None:
    """End the recovery of an account that was begun by a code to a phone which is not on its file any more."""
    under_way = update(Recovery).where(Recovery.account_id == account_id, OPEN)
    await session.execute(under_way.values(status="lapsed", proof_hash=None, proof_expires_at=None))


async def prove(session: AsyncSession, recovery: Recovery, *, now: datetime) -> str | None:
    """Give the cookie with which the new password may be set, or None before the recovery is ready."""
    if recovery.status != "approved" or recovery.ready_at is None or recovery.ready_at > now:
        return None
    secret = new_secret()
    recovery.proof_hash, recovery.proof_expires_at = hash_of(secret), now + PROOF_LIFETIME
    await session.flush()
    return secret


async def proven_recovery(session: AsyncSession, secret: str | None, *, now: datetime) -> Recovery | None:
    """Give and lock the recovery whose new password may be set by who has this cookie."""
    found = select(Recovery).where(
        Recovery.proof_hash == hash_of(secret or ""),
        Recovery.proof_expires_at > now,
        Recovery.status == "approved",
        Recovery.ready_at <= now,
    )
    recovery = await session.scalar(found.with_for_update())
    if recovery is None or (not recovery.needs_approval and await holds_a_role(session, recovery.account_id, now=now)):
        return None
    return recovery


async def complete_recovery(
    session: AsyncSession,
    ring: KeyRing,
    recovery: Recovery,
    *,
    encoding: str,
    language: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> None:
    """Set the new password; every session ends, and second factors go if they were said to be lost.

    Where no officer agreed, whoever sets it has shown a phone and nothing else: for a week it proves no more than that.
    """
    account_id = recovery.account_id
    recovery.status, recovery.completed_at = "completed", now
    recovery.proof_hash = recovery.proof_expires_at = None
    await session.flush()
    await set_password(session, account_id=account_id, encoding=encoding, new_id=new_id, now=now)
    until = None if recovery.needs_approval else now + PERSON_HEARS
    await count_as_phone(session, account_id, until=until)
    if recovery.lost_device:  # whoever finds it must not sign in by it
        for table in (RecoveryCode, Totp, Passkey, FederatedIdentity):
            await session.execute(delete(table).where(table.account_id == account_id))
    await end_all_sessions(session, account_id, reason="recovered", now=now)
    await tell(session, ring, account_id, "recovered", language=language, now=now)
    await _record(session, "identity.recovery.completed", recovery, now=now)


async def _record(session: AsyncSession, action: str, recovery: Recovery, *, now: datetime) -> None:
    """Record what the owner did, or whoever holds the phone: nobody else is known to have acted."""
    owner = recovery.account_id
    entry = audit.Entry(
        action=action,
        actor=owner,
        subject=owner,
        object_id=recovery.recovery_id,
        organisation_id=recovery.organisation_id,
    )
    await audit.record(session, entry, now=now)
