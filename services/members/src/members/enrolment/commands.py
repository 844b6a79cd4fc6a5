"""Enrols members: opens a file for each, sealed, and counts their branches anew."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

import audit
from china_time import day_of
from contracts.members import MemberAffiliatedV1
from database import KeyRing, columns, count_of, raw
from members.enrolment.rules import (
    BranchEntry,
    CheckedMember,
    NewMember,
    already_on_file,
    check_rows,
    erased,
)
from members.enrolment.schemas import EnrolmentOutcome
from members.files.counting import recount
from members.files.phones import PERSON_HEARS
from members.files.rules.counts import Counts
from members.files.rules.size import check_size
from members.files.sealing import SealedFile, new_file_key, seal_fields
from members.refused_rows import RowError, RowsRefused
from messaging import Publication, append
from privacy import erased_among
from rulebook import Refused

_BRANCHES = """
    select organisation_id, kind, ancestors && $2::uuid[] as visible
    from organisation where organisation_id = any($1::uuid[])
"""
_ON_FILE = """
    select m.person_id, m.organisation_id, m.stage, m.away, m.smartphone, m.version, m.id_number_index,
           k.wrapped, v.name, v.id_number, v.phone, coalesce(o.ancestors && $3::uuid[], false) as visible
    from member m
    join member_version v using (person_id, version)
    join member_key k using (person_id)
    left join organisation o on o.organisation_id = m.organisation_id
    where m.person_id = any($1::uuid[]) or m.id_number_index = any($2::bytea[])
"""
_INSERT_MEMBERS = """
    insert into member (person_id, organisation_id, stage, away, smartphone, birth_month, id_number_index, phone_index,
                        version, affiliation_version)
    select *, 1, 1 from unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[], $5::boolean[], $6::date[],
                               $7::bytea[], $8::bytea[])
    on conflict do nothing
"""
_INSERT_KEYS = """
    insert into member_key (person_id, wrapped, made_at)
    select person_id, wrapped, $3 from unnest($1::uuid[], $2::bytea[]) new(person_id, wrapped)
"""
_INSERT_VERSIONS = """
    insert into member_version (person_id, organisation_id, stage, away, smartphone, name, id_number, phone,
                                version, recorded_at, recorded_by, phone_proves_from)
    select *, 1, $9::timestamptz, $10::uuid, case when phone is not null then $11::timestamptz end
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[], $5::boolean[], $6::bytea[], $7::bytea[], $8::bytea[])
        new(person_id, organisation_id, stage, away, smartphone, name, id_number, phone)
"""


class EnrolledMeanwhile(Exception):
    """Another request enrolled one of these people just now; sent again, this one is judged by what is there then."""


async def enrol_member(
    session: AsyncSession, *, member: NewMember, ring: KeyRing, now: datetime, by: audit.Actor
) -> EnrolmentOutcome:
    """Open a file for a member; one that says the same is left as it is. Raises what `import_members` does."""
    enrolled = await _enrol(session, [member], ring, now, by)
    if enrolled.added:
        entry = by.entry("members.file.enrolled", subject=member.person_id, organisation_id=member.organisation_id)
        await audit.record(session, entry, now=now)
    return enrolled


async def import_members(
    session: AsyncSession, *, members: Sequence[NewMember], ring: KeyRing, now: datetime, by: audit.Actor
) -> EnrolmentOutcome:
    """Open a file for each member who has none, all or none; a file that says the same is left as it is.

    Raises `RowsRefused`, and `EnrolledMeanwhile` when another request enrols one of them at the same moment.
    """
    enrolled = await _enrol(session, members, ring, now, by)
    branches = sorted({member.organisation_id for member in members})
    entries = [by.entry("members.file.imported", organisation_id=branch) for branch in branches]
    await audit.record_all(session, entries, now=now)
    return enrolled


async def _enrol(
    session: AsyncSession, members: Sequence[NewMember], ring: KeyRing, now: datetime, by: audit.Actor
) -> EnrolmentOutcome:
    today = day_of(now)
    checked, errors = check_rows(members, await _branches(session, members, by), today)
    gone = await erased_among(session, [row.member.person_id for row in checked])
    errors += [erased(row.row) for row in checked if row.member.person_id in gone]
    if errors:
        raise RowsRefused(errors)
    new = await _without_those_on_file(session, checked, by, ring)
    if new:
        branches = {row.member.organisation_id for row in new}
        await _insert(session, new, ring, now, by)
        await _announce(session, new, by)
        _check_sizes(new, await recount(session, branches, today), today)
    return EnrolmentOutcome(added=len(new), unchanged=len(members) - len(new))


async def _branches(session: AsyncSession, members: Sequence[NewMember], by: audit.Actor) -> dict[UUID, BranchEntry]:
    ids = {member.organisation_id for member in members}
    records = await (await raw(session)).fetch(_BRANCHES, list(ids), list(by.remit))
    return {record["organisation_id"]: BranchEntry(record["kind"], bool(record["visible"])) for record in records}


async def _without_those_on_file(
    session: AsyncSession, rows: Sequence[CheckedMember], by: audit.Actor, ring: KeyRing
) -> list[CheckedMember]:
    """Leave out the rows that say what a visible file says; raises `RowsRefused` for those that say otherwise."""
    people = [row.member.person_id for row in rows]
    indexes = [ring.blind_index("id_number", row.member.fields.id_number) for row in rows]
    found = await (await raw(session)).fetch(_ON_FILE, people, indexes, list(by.remit))
    by_person = {record["person_id"]: record for record in found}
    by_number = {record["id_number_index"]: record for record in found}
    new: list[CheckedMember] = []
    errors: list[RowError] = []
    for row, index in zip(rows, indexes, strict=True):
        record = by_number.get(index) or by_person.get(row.member.person_id)
        if record is None:
            new.append(row)
        elif not _says(record, row.member, ring):
            # Out of remit, which of the two is on file must not tell that they belong together.
            by_id = record["person_id"] == row.member.person_id and (record["visible"] or index not in by_number)
            errors.append(already_on_file(row.row, by_id=by_id))
    if errors:
        raise RowsRefused(errors)
    return new


def _says(record: asyncpg.Record, member: NewMember, ring: KeyRing) -> bool:
    """Tell whether a visible file already says all that the row says."""
    same_person = member.id_is_ours or record["person_id"] == member.person_id
    open_traits = ("organisation_id", "stage", "away", "smartphone")
    if record["wrapped"] is None:  # erased: the id is spent
        return False
    if not (record["visible"] and same_person and all(record[t] == getattr(member, t) for t in open_traits)):
        return False
    return SealedFile(ring, record).open_all() == member.fields


async def _insert(
    session: AsyncSession, rows: Sequence[CheckedMember], ring: KeyRing, now: datetime, by: audit.Actor
) -> None:
    connection = await raw(session)
    members, file_keys, versions = await asyncio.to_thread(_stored_rows, rows, ring)
    if count_of(await connection.execute(_INSERT_MEMBERS, *columns(members))) != len(rows):
        raise EnrolledMeanwhile
    await connection.execute(_INSERT_KEYS, *columns(file_keys), now)
    await connection.execute(_INSERT_VERSIONS, *columns(versions), now, by.actor, now + PERSON_HEARS)


def _stored_rows(
    rows: Sequence[CheckedMember], ring: KeyRing
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Seal the rows; about 0.1 ms each, so it runs beside the event loop."""
    members: list[tuple[Any, ...]] = []
    file_keys: list[tuple[Any, ...]] = []
    versions: list[tuple[Any, ...]] = []
    # In one order for everybody, so that two requests with the same people wait for each other and do not deadlock.
    for _, member, birth_month in sorted(rows, key=lambda row: row.member.fields.id_number):
        traits = (member.person_id, member.organisation_id, member.stage, member.away, member.smartphone)
        fields = member.fields
        data_key, wrapped = new_file_key(ring, member.person_id)
        phone_index = None if fields.phone is None else ring.blind_index("phone", fields.phone)
        members.append((*traits, birth_month, ring.blind_index("id_number", fields.id_number), phone_index))
        file_keys.append((member.person_id, wrapped))
        versions.append((*traits, *seal_fields(data_key, fields, person_id=member.person_id, version=1)))
    return members, file_keys, versions


async def _announce(session: AsyncSession, rows: Sequence[CheckedMember], by: audit.Actor) -> None:
    origin, people = by.origin, (row.member for row in rows)
    events = [MemberAffiliatedV1(person_id=each.person_id, organisation_id=each.organisation_id) for each in people]
    await append(session, [Publication(event, 1, origin) for event in events])


def _check_sizes(rows: Sequence[CheckedMember], counts: Mapping[UUID, Counts], today: date) -> None:
    """Refuse the last row of each branch that is too large now."""
    last = {row.member.organisation_id: row.row for row in rows}
    errors: list[RowError] = []
    for organisation_id, row in last.items():
        try:
            check_size(counts[organisation_id], today)
        except Refused as refused:
            errors.append(RowError.of(row, refused))
    if errors:
        raise RowsRefused(sorted(errors))
