"""Setting up an authenticator app, checking its codes, and the recovery codes that stand in for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated, known
from identity.accounts.tables import Account
from identity.factors.ownership import Owner, name_on_devices, tell_owner
from identity.factors.tables import RecoveryCode, Totp
from identity.factors.totp import rules
from identity.throttling.guesses import begin_guess, forgive
from identity.throttling.rates import subject_of
from webapi.normal_forms import bare_number


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
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, new_id: Callable[[], UUID], now: datetime
) -> Pending:
    """Make a secret that waits for its first code; one that waited before is forgotten, one in use stays so."""
    await _lock(session, account_id)
    await session.execute(delete(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_(None)))
    secret, totp_id = rules.new_secret(), new_id()
    sealed = ring.wrap(secret.encode(), binding=_binding_of(totp_id))
    session.add(Totp(totp_id=totp_id, account_id=account_id, sealed=sealed, made_at=now))
    await session.flush()
    return Pending(secret, rules.otpauth_uri(secret, await name_on_devices(session, account_id)))


async def confirm_totp(
    session: AsyncSession, ring: KeyRing, owner: Owner, *, code: str, now: datetime
) -> list[str] | None:
    """Take the waiting secret into use, in place of a former one; gives new recovery codes, None for a wrong code.

    Let the transaction commit also then, so that the guess counts. Raises `TotpNotPending` and `TooOften`.
    """
    account_id = owner.account_id
    await _lock(session, account_id)
    waiting = select(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_(None))
    pending = known(await session.scalar(waiting), TotpNotPending)
    guess = await begin_guess(session, _subject(ring, account_id, "waiting"), now=now)
    step = rules.step_of_code(_secret_of(ring, pending), bare_number(code), now=now, after=None)
    if step is None:
        return None
    await forgive(session, guess)
    await session.execute(delete(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None)))
    pending.confirmed_at, pending.last_used_step = now, step
    await session.flush()
    codes = await _new_recovery_codes(session, account_id, now)
    await tell_owner(session, ring, owner, "totp.added", now=now)
    return codes


async def prove_by_totp(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, known_browser: bool, code: str, now: datetime
) -> bool:
    """Say whether the account's authenticator app shows this code; each is taken once.

    Guesses on browsers that the owner has used are counted apart, so that whoever knows the password alone keeps nobody
    out. Let the transaction commit whatever the answer is. Raises `TooOften`.
    """
    guess = await begin_guess(session, _subject(ring, account_id, "known" if known_browser else "any"), now=now)
    in_use = select(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None)).with_for_update()
    totp = await session.scalar(in_use)
    step = None
    if totp is not None:
        step = rules.step_of_code(_secret_of(ring, totp), bare_number(code), now=now, after=totp.last_used_step)
        if step is not None:
            totp.last_used_step = step
            await session.flush()
            await forgive(session, guess)
    return step is not None


async def prove_by_recovery_code(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, known_browser: bool, code: str, now: datetime
) -> bool:
    """Spend a recovery code of the account and say whether it was one. As `prove_by_totp` otherwise."""
    guess = await begin_guess(session, _subject(ring, account_id, "known" if known_browser else "any"), now=now)
    mine = (RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    this = RecoveryCode.code_hash == rules.hash_of_recovery_code(bare_number(code))
    spent = await session.scalar(
        update(RecoveryCode).where(*mine, this).values(used_at=now).returning(RecoveryCode.account_id)
    )
    if spent is not None:
        await forgive(session, guess)
    return spent is not None


async def renew_recovery_codes(session: AsyncSession, ring: KeyRing, owner: Owner, *, now: datetime) -> list[str]:
    """Make new recovery codes in place of all former ones and give them, this once. Raises `TotpNotSetUp`."""
    account_id = owner.account_id
    await _lock(session, account_id)
    in_use = select(Totp.totp_id).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None))
    known(await session.scalar(in_use), TotpNotSetUp)
    codes = await _new_recovery_codes(session, account_id, now)
    await tell_owner(session, ring, owner, "recovery_codes.renewed", now=now)
    return codes


async def _new_recovery_codes(session: AsyncSession, account_id: UUID, now: datetime) -> list[str]:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = rules.new_recovery_codes()
    session.add_all(
        RecoveryCode(code_hash=rules.hash_of_recovery_code(code), account_id=account_id, made_at=now) for code in codes
    )
    await session.flush()
    return codes


async def remove_totp(session: AsyncSession, ring: KeyRing, owner: Owner, *, now: datetime) -> None:
    """Forget the authenticator app and its recovery codes. Raises `TotpNotSetUp` when there is none."""
    account_id = owner.account_id
    await _lock(session, account_id)
    removed = await session.scalars(delete(Totp).where(Totp.account_id == account_id).returning(Totp.confirmed_at))
    if not any(removed):
        raise TotpNotSetUp
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    await tell_owner(session, ring, owner, "totp.removed", now=now)


async def _lock(session: AsyncSession, account_id: UUID) -> None:
    """Let changes of one account's factors follow each other."""
    await session.execute(select(Account.account_id).where(Account.account_id == account_id).with_for_update())


def _subject(ring: KeyRing, account_id: UUID, at: Literal["known", "any", "waiting"]) -> bytes:
    """Give what guesses are counted for: on browsers the owner has used, on all others, at a secret that waits."""
    return subject_of(ring, "second_factor", f"{account_id}|{at}")


def _secret_of(ring: KeyRing, totp: Totp) -> str:
    return ring.unwrap(totp.sealed, binding=_binding_of(totp.totp_id)).decode()


def _binding_of(totp_id: UUID) -> bytes:
    return associated("totp", "sealed", totp_id)
