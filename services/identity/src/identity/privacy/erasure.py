"""Erasing oneself: what the law allows to go, goes everywhere; what must stay is named with its reason."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from contracts.identity import PersonErasedV1
from database import Database, KeyRing, raw, utc_now
from identity.accounts.phones import phone_of
from identity.accounts.tables import Account
from identity.messages.commands import send
from identity.privacy.legal_holds import holds_on, shown_to_oneself
from identity.privacy.removal import forget
from identity.privacy.rules import GROUNDS, LegallyHeld, duties_of
from identity.privacy.schemas import ErasureOut, KeptOut
from identity.privacy.tables import Erasure
from identity.purposes.commands import withdraw_all
from identity.roles.queries import count_of_not_over
from messaging import Publication, append

TOLD_AGAIN_AFTER = timedelta(days=5)
"""Well before the stream forgets an event (14 days), so that it always names everybody who is erased."""
_AT_ONCE = 500


class AlreadyErased(Exception):
    """The account is gone."""


async def erase(session: AsyncSession, ring: KeyRing, *, by: audit.Actor, language: str, now: datetime) -> ErasureOut:
    """Erase the person who asks, or as much of them as no duty keeps.

    All of it: credentials, sessions and names go here, every service is told, and a tombstone stays; the phone on file
    gets a last notice. By a duty (`grounds.toml`): what rests on consent goes, the rest is named with its reason.
    Raises `LegallyHeld` and `AlreadyErased`.
    """
    person_id = by.actor
    account = await session.scalar(select(Account).where(Account.account_id == person_id).with_for_update())
    if account is None or account.status != "active":
        raise AlreadyErased
    holds = await holds_on(session, person_id, now)
    if holds:
        raise LegallyHeld(sorted({hold.basis for hold in holds}))
    kept = await _kept(session, person_id, now)
    withdrawn = await withdraw_all(session, person_id, now=now)
    rule = kept[0].duty if kept else None
    entry = by.entry("identity.person.erased", subject=person_id, decision="refused" if kept else "allowed", rule=rule)
    await audit.record(session, entry, now=now)
    if not kept:
        phone = await phone_of(session, ring, person_id)
        if phone is not None:
            await send(
                session,
                ring,
                account_id=None,  # whom it is for is gone when it goes out
                phone=phone,
                text="erased",
                values={},
                language=language,
                now=now,
            )
        await _erase(session, person_id, now)
    return ErasureOut(outcome="kept_by_duty" if kept else "erased", withdrawn=withdrawn, kept=kept, holds=[])


async def foreseen(session: AsyncSession, person_id: UUID, now: datetime) -> ErasureOut:
    """Say what an erasure would do now."""
    kept = await _kept(session, person_id, now)
    holds = [shown_to_oneself(hold) for hold in await holds_on(session, person_id, now)]
    return ErasureOut(outcome="kept_by_duty" if kept else "erased", withdrawn=[], kept=kept, holds=holds)


async def _kept(session: AsyncSession, person_id: UUID, now: datetime) -> list[KeptOut]:
    is_member = await orgtree.affiliation_of(session, person_id) is not None
    in_office = bool(await session.scalar(count_of_not_over(person_id, day_of(now))))
    return [
        KeptOut(
            duty=duty,
            kept=list(GROUNDS.duties[duty].kept),
            explanation_zh=GROUNDS.duties[duty].zh,
            explanation_en=GROUNDS.duties[duty].en,
        )
        for duty in duties_of(is_member=is_member, in_office=in_office)
    ]


async def _erase(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    connection = await raw(session)
    await connection.execute(
        "insert into erased_person (person_id, erased_at) values ($1, $2) on conflict do nothing", person_id, now
    )
    await connection.execute("delete from export_part where person_id = $1", person_id)
    session.add(Erasure(person_id=person_id, decided_at=now, times_told=1, told_at=now))
    await session.flush()
    await forget(session, [person_id])
    await append(session, [Publication(PersonErasedV1(person_id=person_id), version=1)], actor=person_id)


async def tell_again(database: Database) -> None:
    """Tell of every erasure once more that was last told some days ago: streams forget, backups are restored."""
    now = utc_now()
    while await _tell_some(database, now, told_before=now - TOLD_AGAIN_AFTER):
        continue


async def tell_all_again(database: Database) -> int:
    """Tell of every erasure there is once more, at an operator's word; gives how many."""
    now, publications = utc_now(), 0
    while some := await _tell_some(database, now, told_before=now):
        publications += some
    return publications


async def _tell_some(database: Database, now: datetime, *, told_before: datetime) -> int:
    async with database.transaction() as session:
        due = select(Erasure).where(Erasure.told_at < told_before).order_by(Erasure.told_at).limit(_AT_ONCE)
        found = (await session.scalars(due.with_for_update(skip_locked=True))).all()
        for each in found:
            each.times_told, each.told_at = each.times_told + 1, now
        await session.flush()
        publications = [
            Publication(PersonErasedV1(person_id=each.person_id), version=each.times_told) for each in found
        ]
        await append(session, publications)
    return len(found)


async def tell_erasures(_: object, database: Database) -> str:
    """Tell every service once more who is erased, after one of them was restored from a backup."""
    return f"{await tell_all_again(database)} erasures told again"
