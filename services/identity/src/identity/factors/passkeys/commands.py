"""Passkeys: the ceremonies in which one is made or used, and changes to those an account has."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers.structs import CredentialDeviceType

from database import KeyRing, associated, insert_new, known
from identity.accounts.tables import Account
from identity.factors.ownership import Owner, name_on_devices, tell_owner
from identity.factors.passkeys.ceremonies import (
    JSON,
    PasskeyRefused,
    read_use,
    registration_options,
    verified_registration,
    verified_use,
)
from identity.factors.tables import Passkey, PasskeyCeremony
from identity.secrets import hash_of

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


class Answer(NamedTuple):
    """What a browser brings back from a ceremony, and the secret of the one who asked for it."""

    ceremony_id: UUID
    credential: JSON
    bound_to: str


class Used(NamedTuple):
    """Whose passkey was used, and how its device keeps it; `copied` says that somebody seems to have a copy."""

    account_id: UUID
    passkey_id: UUID
    backup_eligible: bool
    copied: bool


async def begin_ceremony(
    session: AsyncSession, *, account_id: UUID | None, bound_to: str, new_id: Callable[[], UUID], now: datetime
) -> Ceremony:
    """Make a challenge, good once and for five minutes, for whoever holds `bound_to`.

    With an account it is one to register a passkey for it, without one to sign in.
    """
    begun = Ceremony(new_id(), secrets.token_bytes(_CHALLENGE_BYTES))
    row = {
        "ceremony_id": begun.ceremony_id,
        "purpose": "registration" if account_id else "sign_in",
        "account_id": account_id,
        "challenge": begun.challenge,
        "bound_to": hash_of(bound_to),
        "expires_at": now + CEREMONY_LIFETIME,
    }
    await insert_new(session, PasskeyCeremony, row)
    return begun


async def begin_registration(
    session: AsyncSession, *, issuer: str, account_id: UUID, bound_to: str, new_id: Callable[[], UUID], now: datetime
) -> tuple[UUID, JSON]:
    """Begin to add a passkey: gives the ceremony's id, and the options for the browser."""
    begun = await begin_ceremony(session, account_id=account_id, bound_to=bound_to, new_id=new_id, now=now)
    existing = await session.scalars(select(Passkey.credential_id).where(Passkey.account_id == account_id))
    return begun.ceremony_id, registration_options(
        issuer,
        challenge=begun.challenge,
        account_id=account_id,
        account_name=await name_on_devices(session, account_id),
        existing=existing.all(),
    )


async def _end_ceremony(session: AsyncSession, answer: Answer, account_id: UUID | None, now: datetime) -> bytes:
    """Take back a challenge. Raises `PasskeyRefused` when it was used, is over, or is somebody else's."""
    row = (
        await session.execute(
            delete(PasskeyCeremony).where(PasskeyCeremony.ceremony_id == answer.ceremony_id).returning(PasskeyCeremony)
        )
    ).scalar_one_or_none()
    if row is None or row.expires_at <= now or row.account_id != account_id:
        raise PasskeyRefused
    if not secrets.compare_digest(row.bound_to, hash_of(answer.bound_to)):
        raise PasskeyRefused
    return row.challenge


async def add_passkey(
    session: AsyncSession,
    ring: KeyRing,
    owner: Owner,
    answer: Answer,
    *,
    issuer: str,
    transports: Sequence[str],
    name: str,
    new_id: Callable[[], UUID],
    now: datetime,
) -> Passkey:
    """Keep a new passkey. Raises `TooManyPasskeys`, and `PasskeyRefused` also for a key that is on file already.

    Let the transaction commit after `PasskeyRefused` too: the challenge is spent.
    """
    account_id, passkey_id = owner.account_id, new_id()
    challenge = await _end_ceremony(session, answer, account_id, now)
    key = verified_registration(issuer, answer.credential, challenge=challenge)
    await session.execute(select(Account.account_id).where(Account.account_id == account_id).with_for_update())
    count = await session.scalar(select(func.count()).where(Passkey.account_id == account_id))
    if (count or 0) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    row = {
        "passkey_id": passkey_id,
        "account_id": account_id,
        "credential_id": key.credential_id,
        "public_key": key.credential_public_key,
        "sign_count": key.sign_count,
        "transports": list(transports),
        "backup_eligible": key.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        "backed_up": key.credential_backed_up,
        "sealed_name": _sealed_name(ring, passkey_id, name),
        "added_at": now,
    }
    if not await insert_new(session, Passkey, row):
        raise PasskeyRefused
    await tell_owner(session, ring, owner, "passkey.added", object_id=passkey_id, now=now)
    return await session.get_one(Passkey, passkey_id)


async def rename_passkey(
    session: AsyncSession, ring: KeyRing, owner: Owner, *, passkey_id: UUID, name: str, now: datetime
) -> Passkey:
    """Give a passkey another name. Raises `PasskeyUnknown`."""
    mine = update(Passkey).where(Passkey.passkey_id == passkey_id, Passkey.account_id == owner.account_id)
    renamed = mine.values(sealed_name=_sealed_name(ring, passkey_id, name)).returning(Passkey)
    passkey = known(await session.scalar(renamed), PasskeyUnknown)
    await tell_owner(session, ring, owner, "passkey.renamed", object_id=passkey_id, now=now)
    return passkey


async def remove_passkey(
    session: AsyncSession, ring: KeyRing, owner: Owner, *, passkey_id: UUID, now: datetime
) -> None:
    """Forget a passkey. Raises `PasskeyUnknown`."""
    mine = delete(Passkey).where(Passkey.passkey_id == passkey_id, Passkey.account_id == owner.account_id)
    known(await session.scalar(mine.returning(Passkey.passkey_id)), PasskeyUnknown)
    await tell_owner(session, ring, owner, "passkey.removed", object_id=passkey_id, now=now)


async def use_passkey(
    session: AsyncSession, ring: KeyRing, answer: Answer, *, issuer: str, language: str, now: datetime
) -> Used:
    """Check an answer to a sign-in challenge and count the use. Raises `PasskeyRefused`.

    A counter that does not go up is that of a copy: the passkey is refused from then on, and its owner told. Let the
    transaction commit in any case: the challenge is spent.
    """
    challenge, credential = await _end_ceremony(session, answer, None, now), read_use(answer.credential)
    found = (
        select(Passkey)
        .join(Account, Account.account_id == Passkey.account_id)
        .where(Passkey.credential_id == credential.raw_id, Account.status == "active")
        .where(Passkey.suspected_at.is_(None))
        .with_for_update(of=Passkey)
    )
    passkey = known(await session.scalar(found), PasskeyRefused)
    use = verified_use(issuer, credential, challenge=challenge, public_key=passkey.public_key)
    if (credential.response.user_handle or None) not in {None, passkey.account_id.bytes}:
        raise PasskeyRefused
    counts = use.new_sign_count > 0 or passkey.sign_count > 0
    copied = counts and use.new_sign_count <= passkey.sign_count
    if copied:
        passkey.suspected_at = now
    else:
        passkey.sign_count, passkey.last_used_at = use.new_sign_count, now
        passkey.backed_up = use.credential_backed_up and passkey.backup_eligible
    await session.flush()
    if copied:
        owner = Owner(passkey.account_id, language)
        await tell_owner(session, ring, owner, "passkey.suspected", object_id=passkey.passkey_id, now=now)
    return Used(passkey.account_id, passkey.passkey_id, passkey.backup_eligible, copied)


def usable_passkey(passkey_id: UUID) -> Select[UUID]:
    """Select the id of a passkey, unless it was removed or is suspected to be copied."""
    return select(Passkey.passkey_id).where(Passkey.passkey_id == passkey_id, Passkey.suspected_at.is_(None))


def _sealed_name(ring: KeyRing, passkey_id: UUID, name: str) -> bytes:
    return ring.wrap(name.encode(), binding=associated("passkey", "sealed_name", passkey_id))


def name_of(ring: KeyRing, passkey: Passkey) -> str:
    """Give the name of a passkey."""
    return ring.unwrap(passkey.sealed_name, binding=associated("passkey", "sealed_name", passkey.passkey_id)).decode()
