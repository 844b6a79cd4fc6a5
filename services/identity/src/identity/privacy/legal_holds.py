"""Legal holds: placing and lifting what keeps somebody's data from being erased."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from database import narrowed, page_of
from identity.accounts.tables import Account
from identity.privacy.rules import GROUNDS, HoldBasisUnknown
from identity.privacy.schemas import HoldOut, OwnHoldOut
from identity.privacy.tables import LegalHold


class PersonUnknown(Exception):
    """There is no such person among those whose data the caller may hold."""


class OwnHold(Exception):
    """Nobody places or lifts a hold on themselves."""


class HoldUnknown(Exception):
    """There is no such hold, or none that the caller may see."""


async def place_hold(
    session: AsyncSession,
    *,
    hold_id: UUID,
    by: audit.Actor,
    person_id: UUID,
    basis: str,
    holds_until: date | None,
    remit: Collection[UUID],
    now: datetime,
) -> LegalHold:
    """Hold a person's data back from erasure. Raises `OwnHold`, `HoldBasisUnknown` and `PersonUnknown`."""
    if person_id == by.actor:
        raise OwnHold
    if basis not in GROUNDS.holds:
        raise HoldBasisUnknown
    account = await session.scalar(select(Account).where(Account.account_id == person_id).with_for_update())
    if account is None or account.status == "erased":
        raise PersonUnknown
    await _require_reach(session, account, remit)
    hold = LegalHold(
        hold_id=hold_id,
        person_id=person_id,
        basis=basis,
        placed_by=by.actor,
        placed_at=now,
        holds_until=holds_until,
    )
    session.add(hold)
    await session.flush()
    entry = by.entry("identity.legal_hold.placed", subject=person_id, object_id=hold_id, purpose=basis)
    await audit.record(session, entry, now=now)
    return hold


async def lift_hold(
    session: AsyncSession, *, hold_id: UUID, by: audit.Actor, remit: Collection[UUID], now: datetime
) -> LegalHold:
    """Lift a hold; again changes nothing. Raises `HoldUnknown` and `OwnHold`."""
    hold = await session.scalar(select(LegalHold).where(LegalHold.hold_id == hold_id).with_for_update())
    if hold is None:
        raise HoldUnknown
    try:
        await _require_reach(session, await session.get_one(Account, hold.person_id), remit)
    except PersonUnknown:
        raise HoldUnknown from None
    if hold.person_id == by.actor:
        raise OwnHold
    if hold.lifted_at is None:
        hold.lifted_at, hold.lifted_by = now, by.actor
        await session.flush()
        entry = by.entry("identity.legal_hold.lifted", subject=hold.person_id, object_id=hold_id, purpose=hold.basis)
        await audit.record(session, entry, now=now)
    return hold


def holding(person_id: UUID, now: datetime) -> ColumnElement[bool]:
    """Give the predicate of the holds on a person that hold now."""
    in_time = or_(LegalHold.holds_until.is_(None), LegalHold.holds_until >= day_of(now))
    return and_(LegalHold.person_id == person_id, LegalHold.lifted_at.is_(None), in_time)


async def holds_on(session: AsyncSession, person_id: UUID, now: datetime) -> list[LegalHold]:
    """Give the holds on a person that hold now, the oldest first."""
    found = select(LegalHold).where(holding(person_id, now)).order_by(LegalHold.placed_at, LegalHold.hold_id)
    return list(await session.scalars(found))


def holds_within(
    remit: Collection[UUID], person_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int
) -> Select[LegalHold]:
    """Select a page of the holds on people within `remit`, the latest first."""
    belongs = orgtree.affiliation
    reach = or_(
        orgtree.within(belongs.c.organisation_id, remit),
        and_(belongs.c.organisation_id.is_(None), orgtree.within(Account.organisation_id, remit)),
    )
    chosen = (
        select(LegalHold)
        .join(Account, Account.account_id == LegalHold.person_id)
        .outerjoin(belongs, belongs.c.person_id == LegalHold.person_id)
        .where(reach)
    )
    chosen = narrowed(chosen, {LegalHold.person_id: person_id})
    return page_of(chosen, LegalHold.placed_at, LegalHold.hold_id, after=after, limit=limit, latest_first=True)


def shown_to_oneself(hold: LegalHold) -> OwnHoldOut:
    """Shape a hold for the person it is on: why and until when, not who placed it."""
    basis = GROUNDS.holds[hold.basis]
    return OwnHoldOut(
        hold_id=hold.hold_id,
        basis=hold.basis,
        explanation_zh=basis.zh,
        explanation_en=basis.en,
        placed_at=hold.placed_at,
        holds_until=hold.holds_until,
    )


def shown(hold: LegalHold) -> HoldOut:
    """Shape a hold for those who place holds."""
    return HoldOut(
        **shown_to_oneself(hold).model_dump(),
        person_id=hold.person_id,
        placed_by=hold.placed_by,
        lifted_by=hold.lifted_by,
        lifted_at=hold.lifted_at,
    )


async def _require_reach(session: AsyncSession, account: Account, remit: Collection[UUID]) -> None:
    belongs = await orgtree.affiliation_of(session, account.account_id) or account.organisation_id
    try:
        await orgtree.require_within(session, belongs, remit)
    except orgtree.OutsideRemit:
        raise PersonUnknown from None
