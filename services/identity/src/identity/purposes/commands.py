"""Giving and withdrawing consent to a purpose, by the text that was shown."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from database import known
from identity.accounts.authorization import lock_account
from identity.factors.tables import FederatedIdentity
from identity.purposes.rules import PURPOSES, PurposeUnknown, TextChanged, purpose_by_consent
from identity.purposes.schemas import ConsentOut
from identity.purposes.tables import Consent


async def give_consent(
    session: AsyncSession,
    *,
    by: audit.Actor,
    purpose: str,
    text_version: int,
    new_id: Callable[[], UUID],
    now: datetime,
) -> ConsentOut:
    """Keep that a person agreed to the text of a purpose; again to the same text changes nothing.

    Raises `PurposeUnknown`, `NotByConsent` and `TextChanged`.
    """
    asked = purpose_by_consent(purpose)
    if text_version != asked.version:
        raise TextChanged(asked)
    await lock_account(session, by.actor)
    given = await _given(session, by.actor, purpose)
    if given is None or given.text_version != text_version:
        if given is not None:
            given.withdrawn_at = now
            await session.flush()
        made = Consent(
            consent_id=new_id(), person_id=by.actor, purpose=purpose, text_version=text_version, given_at=now
        )
        session.add(made)
        await session.flush()
        entry = by.entry("identity.consent.given", subject=by.actor, object_id=made.consent_id, purpose=purpose)
        await audit.record(session, entry, now=now)
    return await state_of(session, by.actor, purpose)


async def withdraw_consent(session: AsyncSession, *, by: audit.Actor, purpose: str, now: datetime) -> ConsentOut:
    """End a consent and what rests on it; without one nothing changes. Raises `PurposeUnknown`, `NotByConsent`."""
    purpose_by_consent(purpose)
    await lock_account(session, by.actor)
    given = await _given(session, by.actor, purpose)
    if given is not None:
        given.withdrawn_at = now
        await session.flush()
        entry = by.entry("identity.consent.withdrawn", subject=by.actor, object_id=given.consent_id, purpose=purpose)
        await audit.record(session, entry, now=now)
    await drop_what_rests_on(session, by.actor, purpose)
    return await state_of(session, by.actor, purpose)


async def withdraw_all(session: AsyncSession, person_id: UUID, *, now: datetime) -> list[str]:
    """End every consent of a person and what rests on them; gives the purposes that had one."""
    living = (Consent.person_id == person_id, Consent.withdrawn_at.is_(None))
    ended = await session.scalars(update(Consent).where(*living).values(withdrawn_at=now).returning(Consent.purpose))
    purposes = sorted(ended)
    for name, purpose in PURPOSES.items():
        if purpose.basis == "consent":
            await drop_what_rests_on(session, person_id, name)
    return purposes


async def drop_what_rests_on(session: AsyncSession, person_id: UUID, purpose: str) -> None:
    """Delete the data that only a consent to this purpose allowed to keep."""
    if purpose == "wechat":
        await session.execute(delete(FederatedIdentity).where(FederatedIdentity.account_id == person_id))


async def state_of(session: AsyncSession, person_id: UUID, name: str) -> ConsentOut:
    """Show a purpose with its text and whether this person agreed to it; raises `PurposeUnknown`."""
    purpose = known(PURPOSES.get(name), PurposeUnknown)
    given = await _given(session, person_id, name)
    return ConsentOut(
        purpose=name,
        basis=purpose.basis,
        text_version=purpose.version,
        text_zh=purpose.zh,
        text_en=purpose.en,
        given=given is not None and given.text_version == purpose.version,
        given_version=given.text_version if given is not None else None,
        given_at=given.given_at if given is not None else None,
    )


async def _given(session: AsyncSession, person_id: UUID, purpose: str) -> Consent | None:
    living = (Consent.person_id == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
    return await session.scalar(select(Consent).where(*living))
