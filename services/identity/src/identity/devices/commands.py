"""What a person does about a device: finding it by the code on its screen, letting it sign in, refusing it."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import KeyRing
from identity.clients.rules import TERMINAL
from identity.clients.tables import Client
from identity.devices import rules
from identity.levels import SignedIn
from identity.oauth.consents import grant_consent
from identity.sessions.tables import BrowserSession, DeviceCode
from identity.throttling.addresses import counted_at
from identity.throttling.rates import count, subject_of
from identity.throttling.rules import Limit

TYPED_IN_SESSION = Limit(20, timedelta(minutes=15))
TYPED_FROM_ADDRESS = Limit(200, timedelta(minutes=15))
"""A village hall stands behind one address; two hundred guesses at 25,600,000,000 codes are none the worse for it."""

ASKED_FROM_ADDRESS = Limit(200, timedelta(minutes=15))
ASKED_BY_CLIENT = Limit(10_000, timedelta(minutes=15))
"""A public client is whoever says so: this bounds what all of them leave behind, and no village fills it."""


class WaitingDevice(NamedTuple):
    """A device that waits to be let in: its client, where it says it stands, and what it asks for."""

    client_id: str
    name_zh: str
    name_en: str
    place: str | None
    scopes: list[str]


async def count_asked(session: AsyncSession, ring: KeyRing, *, client_id: str, address: str, now: datetime) -> None:
    """Count a device that got its codes. Raises `identity.throttling.rates.TooOften`."""
    subjects = (
        *counted_at(ring, "device_authorization", address, ASKED_FROM_ADDRESS),
        (subject_of(ring, "device_authorization.client", client_id), ASKED_BY_CLIENT),
    )
    await count(session, subjects, now=now)


async def count_typed(session: AsyncSession, ring: KeyRing, *, person: SignedIn, address: str, now: datetime) -> None:
    """Count a code that somebody typed. Raises `identity.throttling.rates.TooOften`."""
    subjects = (
        (subject_of(ring, "device_code.session", str(person.session_id)), TYPED_IN_SESSION),
        *counted_at(ring, "device_code", address, TYPED_FROM_ADDRESS),
    )
    await count(session, subjects, now=now)


async def waiting_device(
    session: AsyncSession, ring: KeyRing, user_code: str, *, now: datetime
) -> WaitingDevice | None:
    """Find the device on whose screen this code stands, while nobody has decided about it."""
    row = (
        await session.execute(
            select(Client.client_id, Client.name_zh, Client.name_en, DeviceCode.place, DeviceCode.scope)
            .join(Client, Client.client_id == DeviceCode.client_id)
            .where(DeviceCode.user_code_hash == hash_of_user_code(ring, user_code), DeviceCode.expires_at > now)
            .where(Client.status == "active")
        )
    ).one_or_none()
    return WaitingDevice(*row[:4], row.scope.split()) if row else None


async def approve_device(
    session: AsyncSession, ring: KeyRing, user_code: str, *, person: SignedIn, now: datetime
) -> bool:
    """Let the device sign in as this person; says whether it still waited, and the person is still signed in.

    A shared terminal gets no more than one factor's worth, however strongly the person proved who they are.
    """
    living = (BrowserSession.session_id == person.session_id, BrowserSession.ended_at.is_(None))
    # Held until this commits, so that what ends the session finds the device approved, or the device finds it ended.
    here = await session.scalar(select(BrowserSession.session_id).where(*living).with_for_update(read=True))
    asked = await _locked(session, ring, user_code, now) if here is not None else None
    if asked is None:
        return False
    client = await session.get_one(Client, asked.client_id)
    asked.decision, asked.user_code_hash = "approved", None
    asked.account_id, asked.amr, asked.signed_in_at = person.account_id, list(person.amr), person.signed_in_at
    asked.acr = rules.TERMINAL_ACR if client.application_type == TERMINAL else person.acr
    if not client.first_party:
        await grant_consent(
            session, account_id=person.account_id, client_id=client.client_id, scopes=asked.scope.split(), now=now
        )
    await _record(session, "identity.device.approved", person, client, now)
    return True


async def deny_device(session: AsyncSession, ring: KeyRing, user_code: str, *, person: SignedIn, now: datetime) -> bool:
    """Refuse the device; says whether it still waited."""
    asked = await _locked(session, ring, user_code, now)
    if asked is None:
        return False
    client = await session.get_one(Client, asked.client_id)
    asked.decision, asked.user_code_hash = "denied", None
    await _record(session, "identity.device.denied", person, client, now)
    return True


async def _record(session: AsyncSession, action: str, person: SignedIn, client: Client, now: datetime) -> None:
    entry = audit.Entry(
        action=action, actor=person.account_id, subject=person.account_id, object_id=client.principal_id
    )
    await audit.record(session, entry, now=now)


async def _locked(session: AsyncSession, ring: KeyRing, user_code: str, now: datetime) -> DeviceCode | None:
    here = (DeviceCode.user_code_hash == hash_of_user_code(ring, user_code), DeviceCode.expires_at > now)
    found: DeviceCode | None = await session.scalar(select(DeviceCode).where(*here).with_for_update())
    return found


def hash_of_user_code(ring: KeyRing, user_code: str) -> bytes:
    """Give the form in which a code to type is kept: without the key, 35 bits would be guessed in a moment."""
    return ring.blind_index("device_code.user_code_hash", user_code)
