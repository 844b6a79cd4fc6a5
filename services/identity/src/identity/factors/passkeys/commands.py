"""Passkeys: the ceremonies in which one is made or used, and changes to those an account has."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from database import KeyRing, associated, insert_new, known
from identity.accounts.tables import Account
from identity.factors.passkeys.ceremonies import (
    JSON,
    NewKey,
    PasskeyRefused,
    credential_id_of,
    user_handle_of,
    verified_use,
)
from identity.factors.tables import Passkey, PasskeyCeremony

CEREMONY_LIFETIME: Final = timedelta(minutes=5)
MOST_PASSKEYS: Final = 20
_CHALLENGE_BYTES: Final = 32


class PasskeyUnknown(Exception):
    """The account has no such passkey."""


class TooManyPasskeys(Exception):
    """The account has as many passkeys as it may."""


class Ceremony(NamedTuple):
    """A challenge that was given out."""

    ceremony_id: UUID
    challenge: bytes


class Used(NamedTuple):
    """Whose passkey was used, and how its device keeps it; `copied` says that somebody seems to have a copy."""

    account_id: UUID
    passkey_id: UUID
    backup_eligible: bool
    copied: bool


async def begin_ceremony(
    session: AsyncSession,
    *,
    purpose: Literal["registration", "sign_in"],
    account_id: UUID | None,
    bound_to: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Ceremony:
    """Make a challenge, good once and for five minutes, for whoever holds `bound_to`."""
    begun = Ceremony(new_id(), secrets.token_bytes(_CHALLENGE_BYTES))
    row = {
        "ceremony_id": begun.ceremony_id,
        "purpose": purpose,
        "account_id": account_id,
        "challenge": begun.challenge,
        "bound_to": _binding(bound_to),
        "expires_at": now + CEREMONY_LIFETIME,
    }
    await insert_new(session, PasskeyCeremony, row)
    return begun


async def end_ceremony(
    session: AsyncSession,
    *,
    ceremony_id: UUID,
    purpose: Literal["registration", "sign_in"],
    account_id: UUID | None,
    bound_to: str,
    now: datetime,
) -> bytes | None:
    """Take back a challenge; None when it was used, is over, or is somebody else's. Let the transaction commit."""
    row = (
        await session.execute(
            delete(PasskeyCeremony).where(PasskeyCeremony.ceremony_id == ceremony_id).returning(PasskeyCeremony)
        )
    ).scalar_one_or_none()
    if row is None or row.expires_at <= now or row.purpose != purpose or row.account_id != account_id:
        return None
    return row.challenge if secrets.compare_digest(row.bound_to, _binding(bound_to)) else None


async def existing_keys(session: AsyncSession, account_id: UUID) -> Sequence[bytes]:
    """Give the ids of the keys an account has, so that a device makes no second one."""
    return (await session.scalars(select(Passkey.credential_id).where(Passkey.account_id == account_id))).all()


async def add_passkey(
    session: AsyncSession,
    ring: KeyRing,
    *,
    passkey_id: UUID,
    account_id: UUID,
    key: NewKey,
    transports: Sequence[str],
    name: str,
    now: datetime,
) -> Passkey:
    """Keep a new passkey. Raises `TooManyPasskeys`, and `PasskeyRefused` for a key that is on file already."""
    await session.execute(select(Account.account_id).where(Account.account_id == account_id).with_for_update())
    count = await session.scalar(select(func.count()).where(Passkey.account_id == account_id))
    if (count or 0) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    row = {
        "passkey_id": passkey_id,
        "account_id": account_id,
        "credential_id": key.credential_id,
        "public_key": key.public_key,
        "sign_count": key.sign_count,
        "transports": list(transports),
        "backup_eligible": key.backup_eligible,
        "backed_up": key.backed_up,
        "sealed_name": sealed_name(ring, passkey_id, name),
        "added_at": now,
    }
    if not await insert_new(session, Passkey, row):
        raise PasskeyRefused
    return await session.get_one(Passkey, passkey_id)


async def rename_passkey(
    session: AsyncSession, ring: KeyRing, *, account_id: UUID, passkey_id: UUID, name: str
) -> Passkey:
    """Give a passkey another name. Raises `PasskeyUnknown`."""
    passkey: Passkey | None = await session.scalar(
        update(Passkey)
        .where(Passkey.passkey_id == passkey_id, Passkey.account_id == account_id)
        .values(sealed_name=sealed_name(ring, passkey_id, name))
        .returning(Passkey)
    )
    if passkey is None:
        raise PasskeyUnknown
    return passkey


async def remove_passkey(session: AsyncSession, *, account_id: UUID, passkey_id: UUID) -> None:
    """Forget a passkey. Raises `PasskeyUnknown`."""
    mine = delete(Passkey).where(Passkey.passkey_id == passkey_id, Passkey.account_id == account_id)
    if await session.scalar(mine.returning(Passkey.passkey_id)) is None:
        raise PasskeyUnknown


async def use_passkey(session: AsyncSession, *, issuer: str, credential: JSON, challenge: bytes, now: datetime) -> Used:
    """Check an answer to a sign-in challenge and count the use. Raises `PasskeyRefused`.

    A counter that does not go up is that of a copy: the passkey is refused from then on. Let the transaction commit
    also then.
    """
    found = (
        select(Passkey)
        .join(Account, Account.account_id == Passkey.account_id)
        .where(Passkey.credential_id == credential_id_of(credential), Account.status == "active")
        .where(Passkey.suspected_at.is_(None))
        .with_for_update(of=Passkey)
    )
    passkey = known(await session.scalar(found), PasskeyRefused)
    use = verified_use(issuer, credential, challenge=challenge, public_key=passkey.public_key)
    if user_handle_of(credential) not in {None, passkey.account_id.bytes}:
        raise PasskeyRefused
    counts = use.sign_count > 0 or passkey.sign_count > 0
    copied = counts and use.sign_count <= passkey.sign_count
    if copied:
        passkey.suspected_at = now
    else:
        passkey.sign_count, passkey.last_used_at = use.sign_count, now
        passkey.backed_up = use.backed_up and passkey.backup_eligible
    await session.flush()
    return Used(passkey.account_id, passkey.passkey_id, passkey.backup_eligible, copied)


def usable_passkey(passkey_id: UUID) -> Select[UUID]:
    """Select the id of a passkey, unless it was removed or is suspected to be copied."""
    return select(Passkey.passkey_id).where(Passkey.passkey_id == passkey_id, Passkey.suspected_at.is_(None))


def sealed_name(ring: KeyRing, passkey_id: UUID, name: str) -> bytes:
    """Seal the name that a person gave to a passkey."""
    return ring.wrap(name.encode(), binding=associated("passkey", "sealed_name", passkey_id))


def name_of(ring: KeyRing, passkey: Passkey) -> str:
    """Give the name of a passkey."""
    return ring.unwrap(passkey.sealed_name, binding=associated("passkey", "sealed_name", passkey.passkey_id)).decode()


def _binding(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
