"""Taking an account out of use, felt everywhere within seconds, and bringing it back."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

import audit
import orgtree
from china_time import day_of
from database import KeyRing
from identity.accounts.remit import require_account_within
from identity.accounts.tables import Account
from identity.roles.assignments import take_administrators_away_in_turn
from identity.roles.delegation import end_delegated_roles
from identity.roles.queries import holds_on
from identity.roles.reach import require_roles_within
from identity.roles.rules import ADMINISTRATIONS, LastAdministrator
from identity.roles.tables import RoleAssignment
from identity.sessions.revocation import end_all_sessions
from identity.shared import Lapse


class OwnAccount(Exception):
    """Nobody takes their own account out of use."""


class AccountErased(Exception):
    """The account's person was erased; there is nothing left to bring back."""


async def deactivate_account(
    session: AsyncSession,
    *,
    ring: KeyRing,
    lapses: Iterable[Lapse],
    account_id: UUID,
    by: audit.Actor,
    now: datetime,
) -> None:
    """Take an account out of use: nobody signs in to it any more, and all that was signed in ends.

    Its roles and credentials stay for a reactivation; what it delegated ends, and by `lapses` what waits for it. Doing
    so again changes nothing. Raises `OwnAccount`, `orgtree.OutsideRemit`, `RoleBeyondRemit` and `LastAdministrator`.
    """
    if await _status(session, account_id, by, now) != "active":
        return
    await _require_other_administrators(session, account_id, today=day_of(now))
    await end_delegated_roles(session, account_id, by=by, now=now)
    for lapse in lapses:
        await lapse(session, ring, account_id, now=now)
    await end_all_sessions(session, account_id, reason="deactivated", now=now, actor=by.actor)
    if await _change(session, account_id, "active", "deactivated"):
        await audit.record(session, by.entry("identity.account.deactivated", subject=account_id), now=now)


async def reactivate_account(session: AsyncSession, *, account_id: UUID, by: audit.Actor, now: datetime) -> None:
    """Bring an account back into use as it was: with its credentials, and signed in nowhere.

    Doing so again changes nothing. Raises `OwnAccount`, `orgtree.OutsideRemit`, `RoleBeyondRemit` and `AccountErased`.
    """
    status = await _status(session, account_id, by, now)
    if status == "active":
        return
    if status != "deactivated":
        raise AccountErased
    # A sign-in that was under way while the account was taken out of use may have left a session behind.
    await end_all_sessions(session, account_id, reason="deactivated", now=now, actor=by.actor)
    if await _change(session, account_id, "deactivated", "active"):
        await audit.record(session, by.entry("identity.account.reactivated", subject=account_id), now=now)


async def _status(session: AsyncSession, account_id: UUID, by: audit.Actor, now: datetime) -> str:
    """Give how an account stands over which whoever acts has a say, with all its roles."""
    if account_id == by.actor:
        raise OwnAccount
    account = await require_account_within(session, account_id, by.remit)
    await require_roles_within(session, account_id, by.remit, today=day_of(now))
    return account.status


async def _change(session: AsyncSession, account_id: UUID, before: str, after: str) -> bool:
    """Change the status, and say whether it was `before`: another request may have been faster."""
    stated = update(Account).where(Account.account_id == account_id, Account.status == before)
    changed = stated.values(status=after, opened_within=None).returning(Account.account_id)
    return await session.scalar(changed) is not None


async def _require_other_administrators(session: AsyncSession, person_id: UUID, *, today: date) -> None:
    """Raise `LastAdministrator` when nobody in use would be left with one of the three administrations."""
    other = aliased(RoleAssignment)
    replaced = exists(
        select(other.assignment_id)
        .join(Account, Account.account_id == other.person_id)
        .where(other.role == RoleAssignment.role, other.organisation_id == orgtree.ROOT_ID)
        .where(other.person_id != person_id, other.status == "granted", Account.status == "active")
        .where(other.valid_from <= today, (other.valid_until.is_(None)) | (other.valid_until >= today))
    )
    administered = select(RoleAssignment.assignment_id).where(
        RoleAssignment.person_id == person_id,
        RoleAssignment.role.in_(ADMINISTRATIONS),
        RoleAssignment.organisation_id == orgtree.ROOT_ID,
        holds_on(today),
    )
    if await session.scalar(administered.limit(1)) is None:
        return
    await take_administrators_away_in_turn(session)
    if await session.scalar(administered.where(~replaced).limit(1)) is not None:
        raise LastAdministrator
