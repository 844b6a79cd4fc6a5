"""Commands on the organisation tree: establish, rename, move. Each keeps the local copy of the tree in step at once.

The other services learn of a change by its event. Here the same projection runs in the command's own transaction, so
that an organisation is within the remit as soon as it exists.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from china_time import day_of
from contracts.members import (
    OrganisationEstablishedV1,
    OrganisationMovedV1,
    OrganisationRenamedV1,
    OrganisationState,
)
from database import columns, count_of, known, raw
from members.organisations.rules import (
    NewOrganisation,
    RegisterEntry,
    Standing,
    check_day,
    check_move,
    check_place,
    sort_rows,
    too_deep,
)
from members.organisations.schemas import ImportOutcome, MoveOrganisation, OrganisationRow, RenameOrganisation
from members.organisations.tables import OrganisationPeriod, RegisteredOrganisation
from members.refused_rows import RowsRefused
from messaging import Publication, append
from webapi.versions import Expected

_REGISTER = """
    select r.organisation_id, r.parent_id, r.kind, r.level, r.name, r.division_code, r.established_on,
           coalesce(cardinality(o.ancestors), 0) as depth, coalesce(o.ancestors && $2::uuid[], false) as visible
    from registered_organisation r left join organisation o using (organisation_id)
    where r.organisation_id = any($1::uuid[])
"""
_ESTABLISH = """
    with new as (
        insert into registered_organisation
            (organisation_id, parent_id, kind, level, name, division_code, established_on, version)
        select *, 1 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::date[])
        on conflict do nothing
        returning organisation_id, established_on, parent_id, name, division_code
    )
    insert into organisation_period (organisation_id, from_day, parent_id, name, division_code) select * from new
"""
_NEW_PARENT = """
    select kind, level, ancestors from organisation where organisation_id = $1 and ancestors && $2::uuid[]
"""
_ACTIONS = {
    OrganisationEstablishedV1: "members.organisation.established",
    OrganisationMovedV1: "members.organisation.moved",
    OrganisationRenamedV1: "members.organisation.renamed",
}


class OrganisationUnknown(Exception):
    """There is no such organisation within the caller's remit."""


class ParentUnknown(Exception):
    """There is no such parent within the caller's remit."""


class ChangedMeanwhile(Exception):
    """Another request registered the same just now; sent again, this one is judged by what is there then."""


class RootStays(Exception):
    """The root of the tree cannot be moved."""


async def establish_organisations(
    session: AsyncSession, *, rows: Sequence[OrganisationRow], by: audit.Actor, now: datetime
) -> ImportOutcome:
    """Establish the organisations that are not there yet, all or none; parents come before their children.

    Raises `RowsRefused`, and `ChangedMeanwhile` when another request establishes one of them at the same moment.
    """
    await orgtree.lock_tree(session)
    connection, today = await raw(session), day_of(now)
    ids = {row.organisation_id for row in rows} | {row.parent_id for row in rows}
    found = await connection.fetch(_REGISTER, list(ids), list(by.remit))
    register = {record["organisation_id"]: RegisterEntry(*record) for record in found}
    wanted = [NewOrganisation(**{**row.model_dump(), "established_on": row.established_on or today}) for row in rows]
    undated = {row.organisation_id for row in rows if row.established_on is None}
    judged = sort_rows(wanted, register, undated=undated, deepest=orgtree.MAX_DEPTH, today=today)
    if judged.errors:
        raise RowsRefused(judged.errors)
    if judged.new:
        await establish(session, judged.new)
        await _announce(
            session, [(OrganisationEstablishedV1(**state_of(row)), 1) for row in judged.new], by=by, now=now
        )
    return ImportOutcome(added=len(judged.new), unchanged=judged.unchanged)


async def establish(session: AsyncSession, new: Sequence[NewOrganisation]) -> None:
    """Enter organisations into the register, in version 1. Raises `ChangedMeanwhile` where one is there already."""
    if count_of(await (await raw(session)).execute(_ESTABLISH, *columns(new))) != len(new):
        raise ChangedMeanwhile


async def rename_organisation(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    wanted: RenameOrganisation,
    expected: Expected,
    by: audit.Actor,
    now: datetime,
) -> None:
    """Give an organisation another name or division code from the day `on`; what is None stays.

    Raises `OrganisationUnknown`, and `Refused` for a day that does not follow what is registered.
    """
    await orgtree.lock_tree(session)
    organisation, today = await _locked(session, organisation_id, expected, by), day_of(now)
    name = wanted.name or organisation.name
    division_code = wanted.division_code or organisation.division_code
    if (organisation.name, organisation.division_code) == (name, division_code):
        return
    on = wanted.on or today
    check_day(on, since=await present_since(session, organisation_id), today=today)
    await change_register(session, organisation, on=on, name=name, division_code=division_code)
    event = OrganisationRenamedV1(**state_of(organisation))
    await _announce(session, [(event, organisation.version)], by=by, now=now)


async def move_organisation(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    wanted: MoveOrganisation,
    expected: Expected,
    by: audit.Actor,
    now: datetime,
) -> None:
    """Move an organisation, and all below it, under another parent from the day `on`; the caller is in charge of both.

    Raises `OrganisationUnknown`, `ParentUnknown`, `RootStays`, and `Refused` when it may not stand there.
    """
    await orgtree.lock_tree(session)
    organisation, today = await _locked(session, organisation_id, expected, by), day_of(now)
    if organisation.parent_id is None:
        raise RootStays
    connection, parent_id, on = await raw(session), wanted.parent_id, wanted.on or today
    parent = known(await connection.fetchrow(_NEW_PARENT, parent_id, list(by.remit)), ParentUnknown)
    if organisation.parent_id == parent_id:
        return
    since = await present_since(session, organisation_id)
    check_move(organisation_id, new_parent_ancestors=parent["ancestors"], on=on, since=since, today=today)
    check_place(Standing(organisation.kind, organisation.level), Standing(parent["kind"], parent["level"]), today)
    await change_register(session, organisation, on=on, parent_id=parent_id)
    event = OrganisationMovedV1(**state_of(organisation))
    await _announce(session, [(event, organisation.version)], by=by, now=now)
    # Nothing of ours hangs in the air, so what has no path now stands deeper than a path can reach.
    if await connection.fetchval("select exists (select from organisation where path is null)"):
        raise too_deep(orgtree.MAX_DEPTH, today)


async def _locked(
    session: AsyncSession, organisation_id: UUID, expected: Expected, by: audit.Actor
) -> RegisteredOrganisation:
    this = RegisteredOrganisation.organisation_id == organisation_id
    visible = orgtree.within(RegisteredOrganisation.organisation_id, by.remit)
    found = select(RegisteredOrganisation).where(this, visible).with_for_update(key_share=True)
    organisation = known(await session.scalar(found), OrganisationUnknown)
    expected.require(organisation.version)
    return organisation


async def present_since(session: AsyncSession, organisation_id: UUID) -> date:
    """Give the first day of what is registered of the organisation now."""
    wanted = select(OrganisationPeriod.from_day).where(
        OrganisationPeriod.organisation_id == organisation_id, OrganisationPeriod.until_day.is_(None)
    )
    return (await session.scalars(wanted)).one()


async def change_register(
    session: AsyncSession, organisation: RegisteredOrganisation, *, on: date, **changes: Any
) -> None:
    """Change the register, and begin a new period on the day `on`; a period that began that very day is corrected."""
    for field, value in changes.items():
        setattr(organisation, field, value)
    organisation.version += 1
    await session.flush()
    present = (
        OrganisationPeriod.organisation_id == organisation.organisation_id,
        OrganisationPeriod.until_day.is_(None),
    )
    corrected = await session.scalars(
        update(OrganisationPeriod)
        .where(*present, OrganisationPeriod.from_day == on)
        .values(**changes)
        .returning(OrganisationPeriod.organisation_id)
    )
    if corrected.one_or_none() is None:
        eve = on - timedelta(days=1)
        await session.execute(update(OrganisationPeriod).where(*present).values(until_day=eve))
        fields = {field: getattr(organisation, field) for field in ("parent_id", "name", "division_code")}
        new = {"organisation_id": organisation.organisation_id, "from_day": on, **fields}
        await session.execute(insert(OrganisationPeriod).values(new))


def state_of(organisation: RegisteredOrganisation | NewOrganisation) -> dict[str, Any]:
    """Give an organisation as its events carry it."""
    return {field: getattr(organisation, field) for field in OrganisationState.model_fields}


async def _announce(
    session: AsyncSession, states: Sequence[tuple[OrganisationState, int]], *, by: audit.Actor, now: datetime
) -> None:
    """Publish what happened to organisations, show it in our own copy of the tree, and record it."""
    origin = by.origin
    await append(session, [Publication(event, version, origin) for event, version in states])
    await orgtree.place_organisations(session, states)
    entries = [
        by.entry(
            _ACTIONS[type(event)],
            object_id=event.parent_id if isinstance(event, OrganisationMovedV1) else None,
            organisation_id=event.organisation_id,
        )
        for event, _ in states
    ]
    await audit.record_all(session, entries, now=now)
