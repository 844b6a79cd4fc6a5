"""Setting up an authenticator app, checking its codes, and the recovery codes that stand in for it."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated
from identity.accounts.tables import Account
from identity.factors import guesses
from identity.factors.tables import RecoveryCode, Totp
from identity.factors.totp import rules


class TotpNotPending(Exception):
    """No authenticator app waits to be confirmed."""


class TotpNotSetUp(Exception):
    """The account has no authenticator app."""


class CodeWrong(Exception):
    """The code is none of now, or was used before."""


class Pending(NamedTuple):
    """What an authenticator app needs; it is shown this once."""

    secret: str
    uri: str


async def begin_totp(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    account_name: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Pending:
    """Make a secret that waits for its first code; one that waited before is forgotten, one in use stays so."""
    await _lock(session, account_id)
    await session.execute(delete(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_(None)))
    secret, totp_id = rules.new_secret(), new_id()
    sealed = ring.wrap(secret.encode(), binding=_binding_of(totp_id))
    session.add(Totp(totp_id=totp_id, account_id=account_id, sealed=sealed, made_at=now))
    await session.flush()
    return Pending(secret, rules.otpauth_uri(secret, account_name))


async def confirm_totp(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, code: str, now: datetime
) -> list[str] | None:
    """Take the waiting secret into use, in place of a former one; gives new recovery codes, None for a wrong code.

    Let the transaction commit also then, so that the guess counts. Raises `TotpNotPending` and `TooOften`.
    """
    await _lock(session, account_id)
    pending = await session.scalar(select(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_(None)))
    if pending is None:
        raise TotpNotPending
    guess = await guesses.begin(session, ring, account_id, now=now)
    step = rules.step_of_code(_secret_of(ring, pending), code, now=now, after=None)
    await guesses.end(session, ring, account_id, guess, right=step is not None, now=now)
    if step is None:
        return None
    await session.execute(delete(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None)))
    pending.confirmed_at, pending.last_used_step = now, step
    await session.flush()
    return await renew_recovery_codes(session, account_id=account_id, now=now)


async def prove_by_totp(session: AsyncSession, ring: KeyRing, *, account_id: UUID, code: str, now: datetime) -> bool:
    """Say whether the account's authenticator app shows this code; each is taken once.

    Let the transaction commit whatever the answer is. Raises `TooOften`.
    """
    guess = await guesses.begin(session, ring, account_id, now=now)
    in_use = select(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None)).with_for_update()
    totp = await session.scalar(in_use)
    step = None
    if totp is not None:
        step = rules.step_of_code(_secret_of(ring, totp), code, now=now, after=totp.last_used_step)
        if step is not None:
            totp.last_used_step = step
            await session.flush()
    await guesses.end(session, ring, account_id, guess, right=step is not None, now=now)
    return step is not None


async def prove_by_recovery_code(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, code: str, now: datetime
) -> bool:
    """Spend a recovery code of the account and say whether it was one. As `prove_by_totp` otherwise."""
    guess = await guesses.begin(session, ring, account_id, now=now)
    mine = (RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    this = RecoveryCode.code_hash == rules.hash_of_recovery_code(code)
    spent = await session.scalar(
        update(RecoveryCode).where(*mine, this).values(used_at=now).returning(RecoveryCode.account_id)
    )
    await guesses.end(session, ring, account_id, guess, right=spent is not None, now=now)
    return spent is not None


async def renew_recovery_codes(session: AsyncSession, *, account_id: UUID, now: datetime) -> list[str]:
    """Make new recovery codes in place of all former ones and give them, this once. Raises `TotpNotSetUp`."""
    await _lock(session, account_id)
    if await _in_use(session, account_id) is None:
        raise TotpNotSetUp
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = rules.new_recovery_codes()
    session.add_all(
        RecoveryCode(code_hash=rules.hash_of_recovery_code(code), account_id=account_id, made_at=now) for code in codes
    )
    await session.flush()
    return codes


async def remove_totp(session: AsyncSession, *, account_id: UUID) -> None:
    """Forget the authenticator app and its recovery codes. Raises `TotpNotSetUp` when there is none."""
    await _lock(session, account_id)
    removed = await session.scalars(delete(Totp).where(Totp.account_id == account_id).returning(Totp.confirmed_at))
    if not any(removed):
        raise TotpNotSetUp
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))


async def _in_use(session: AsyncSession, account_id: UUID) -> UUID | None:
    return await session.scalar(
        select(Totp.totp_id).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None))
    )


async def _lock(session: AsyncSession, account_id: UUID) -> None:
    """Let changes of one account's factors follow each other."""
    await session.execute(select(Account.account_id).where(Account.account_id == account_id).with_for_update())


def _secret_of(ring: KeyRing, totp: Totp) -> str:
    return ring.unwrap(totp.sealed, binding=_binding_of(totp.totp_id)).decode()


def _binding_of(totp_id: UUID) -> bytes:
    return associated("totp", "sealed", totp_id)
