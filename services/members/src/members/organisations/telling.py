"""What is told of organisations anew; what a restore lost of the tree is adopted: its events hold the register."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import orgtree
from china_time import CHINA, day_of
from contracts.members import (
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationState,
    OrganisationWithdrawnV1,
)
from members.organisations.commands import change_register, establish, present_since, state_of
from members.organisations.rules import NewOrganisation
from members.organisations.tables import OrganisationPeriod, RegisteredOrganisation
from messaging import Received, Telling, Told

_CHANGING = ("parent_id", "name", "division_code")


def _tell(organisation: RegisteredOrganisation, since: date) -> Telling:
    # What changed last is not kept; that it stands elsewhere makes whoever asks look at its place.
    event = OrganisationEstablishedV1 if organisation.version == 1 else OrganisationMovedV1
    told_at = datetime.combine(since, time.min, tzinfo=CHINA)
    return Telling(event(**state_of(organisation)), organisation.version, told_at)


async def adopt(session: AsyncSession, lost: Sequence[Received[OrganisationState]]) -> Collection[UUID]:
    """Take over organisations, parents before what stands below them, on the day that each event was told.

    Left out is what stands below something that is not here, or below itself by what was decided since.
    """
    await orgtree.lock_tree(session)
    waiting, adopted = {each.event.organisation_id: each for each in lost}, set[UUID]()
    while waiting:
        before = len(adopted)
        for key, received in list(waiting.items()):
            if await _has_its_place(session, received.event):  # by now: each may change where the next stands
                await _take_over(session, received)
                adopted.add(key)
                del waiting[key]
        if len(adopted) == before:
            break
    return adopted


async def _has_its_place(session: AsyncSession, told: OrganisationState) -> bool:
    if told.parent_id is None:
        return True
    above = await orgtree.ancestors_of(session, told.parent_id)
    return bool(above) and told.organisation_id not in above


async def _take_over(session: AsyncSession, lost: Received[OrganisationState]) -> None:
    told, on = lost.event, day_of(lost.time)
    organisation = await session.get(RegisteredOrganisation, told.organisation_id, with_for_update=True)
    if organisation is None:
        fields = told.model_dump(include=set(NewOrganisation._fields))
        await establish(session, [NewOrganisation(**fields, established_on=on)])
        organisation = await session.get_one(RegisteredOrganisation, told.organisation_id)
    elif changes := {
        field: getattr(told, field) for field in _CHANGING if getattr(told, field) != getattr(organisation, field)
    }:
        on = max(on, await present_since(session, told.organisation_id))
        await change_register(session, organisation, on=on, **changes)
    organisation.version = lost.version
    await session.flush()
    await orgtree.place_organisations(session, [(told, lost.version)])


_PRESENT = (OrganisationPeriod.organisation_id == RegisteredOrganisation.organisation_id) & (
    OrganisationPeriod.until_day.is_(None)
)
TOLD = Told(
    OrganisationState,
    select(RegisteredOrganisation, OrganisationPeriod.from_day)
    .join(OrganisationPeriod, _PRESENT)
    .where(RegisteredOrganisation.version > 0),
    RegisteredOrganisation.organisation_id,
    _tell,
    withdrawn=OrganisationWithdrawnV1,
    adopt=adopt,
)
