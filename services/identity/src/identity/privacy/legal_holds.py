"""Legal holds: placing and lifting what keeps somebody's data from being erased."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from database import known, narrowed
from identity.accounts.remit import belongs_to, require_account_within
from identity.accounts.tables import Account
from identity.privacy.rules import GROUNDS, HoldBasisUnknown
from identity.privacy.schemas import HoldOut, OwnHoldOut, PlaceHold
from identity.privacy.tables import LegalHold
from webapi import Page, PageRequest


class PersonUnknown(Exception):
    """There is no such person, or they are erased."""


class OwnHold(Exception):
    """Nobody places or lifts a hold on themselves."""


class HoldUnknown(Exception):
    """There is no such hold."""


async def place_hold(
    session: AsyncSession, *, hold_id: UUID, wanted: PlaceHold, by: audit.Actor, now: datetime
) -> LegalHold:
    """Hold a person's data back from erasure.

    Raises `OwnHold`, `HoldBasisUnknown`, `PersonUnknown` and `orgtree.OutsideRemit`.
    """
    if wanted.person_id == by.actor:
        raise OwnHold
    if wanted.basis not in GROUNDS.holds:
        raise HoldBasisUnknown
    account = await session.scalar(select(Account).where(Account.account_id == wanted.person_id).with_for_update())
    if account is None or account.status == "erased":
        raise PersonUnknown
    await orgtree.require_within(session, await belongs_to(session, account), by.remit)
    hold = LegalHold(hold_id=hold_id, **wanted.model_dump(), placed_by=by.actor, placed_at=now)
    session.add(hold)
    await session.flush()
    entry = by.entry("identity.legal_hold.placed", subject=hold.person_id, object_id=hold_id, purpose=hold.basis)
    await audit.record(session, entry, now=now)
    return hold


async def lift_hold(session: AsyncSession, *, hold_id: UUID, by: audit.Actor, now: datetime) -> LegalHold:
    """Lift a hold; again changes nothing. Raises `HoldUnknown`, `orgtree.OutsideRemit` and `OwnHold`."""
    found = select(LegalHold).where(LegalHold.hold_id == hold_id).with_for_update()
    hold = known(await session.scalar(found), HoldUnknown)
    await require_account_within(session, hold.person_id, by.remit)
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


async def list_holds(
    session: AsyncSession, page: PageRequest, remit: Collection[UUID], person_id: UUID | None
) -> Page[HoldOut]:
    """List the holds on people within `remit`, the latest first."""
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
    key = (LegalHold.placed_at, LegalHold.hold_id)
    return await page.select(session, chosen, *key, shape=shown, latest_first=True)


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
