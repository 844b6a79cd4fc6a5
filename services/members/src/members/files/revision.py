"""Revises a member's file against the version the change was made from, and reports both values where it clashes."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import audit
from channels import NOTICE_LIFETIME, queue
from china_time import day_of
from database import KeyRing, known, new_id, raw
from members.files.counting import recount
from members.files.phones import PERSON_HEARS, PROVES_FROM
from members.files.rules.changes import merge
from members.files.rules.personal_fields import PersonalFields, masked
from members.files.rules.size import check_size
from members.files.rules.stages import check_stage_change
from members.files.sealing import FIELDS, SealedFile, seal_fields
from members.phone_messages.tables import PhoneMessage
from members.settings import Settings
from webapi.normal_forms import international, mobile_number
from webapi.versions import Expected

# Apart from the reading: who waits here for another change would else join the new row with a version of before it.
_LOCK = "select from member where person_id = $1 for update"
_PRESENT = """
    select m.person_id, m.organisation_id, m.stage, m.away, m.smartphone, m.version, k.wrapped,
           v.name, v.id_number, v.phone
    from member m
    join member_version v using (person_id, version)
    join member_key k using (person_id)
    join organisation o on o.organisation_id = m.organisation_id
    where m.person_id = $1 and k.wrapped is not null and ($2 or o.ancestors && $3::uuid[])
"""
_BASE = """
    select person_id, version, stage, away, smartphone, name, id_number, phone, $3::bytea as wrapped
    from member_version where person_id = $1 and version = $2
"""
_INSERT_VERSION = f"""
    insert into member_version (person_id, version, recorded_at, recorded_by, organisation_id, stage, away, smartphone,
                                name, id_number, phone, phone_proves_from)
    select $1, $2::bigint, $3::timestamptz, $4, $5, $6, $7, $8, $9, $10, $11,
           case when $11::bytea is null then null
                when $12 then $3
                when $13 then {PROVES_FROM}
                when $14 then $3 + interval '{PERSON_HEARS.days} days'
                else greatest({PROVES_FROM}, $3 + interval '{PERSON_HEARS.days} days') end
    from member_version v where v.person_id = $1 and v.version = $2 - 1
"""  # noqa: S608 - our own words. One's own proves it at once after two factors, else a week after the former was told.
_KEEP = """
    update member set version = $2, stage = $3, away = $4, smartphone = $5, phone_index = $6 where person_id = $1
"""
TRAITS = ("stage", "away", "smartphone")


class FileUnknown(Exception):
    """There is no such file within the caller's remit."""


class BaseUnknown(Exception):
    """The file has no such version to start from."""


class StaleFile(Exception):
    """Fields were changed since the base version, to something else; `conflicts` has both values of each."""

    def __init__(self, version: int, conflicts: Mapping[str, Mapping[str, object]]) -> None:
        super().__init__(f"changed since, in {len(conflicts)} fields")
        self.version = version
        self.conflicts = dict(conflicts)


async def revise_member(
    session: AsyncSession,
    *,
    person_id: UUID,
    base_version: int | None,
    expected: Expected,
    changes: Mapping[str, Any],
    own: bool,
    two_factors: bool,
    ring: KeyRing,
    now: datetime,
    by: audit.Actor,
) -> int:
    """Change fields of a file (`name`, `phone`, `stage`, `away`, `smartphone`) and give the version that results.

    `changes` were made to `base_version`; fields that nobody else changed since are merged. Without one they are made
    to the file as it is, which has to be as `expected`. `own` says that the person changes the own file. Where that was
    not proved by `two_factors`, the phone that is replaced or taken out is told so, and a stored personal field that
    clashes is told masked. Raises `FileUnknown`, `BaseUnknown`, `StaleFile`, and `Refused` by the rules of stages and
    of the branch's size.
    """
    connection = await raw(session)
    await connection.execute(_LOCK, person_id)
    record = known(await connection.fetchrow(_PRESENT, person_id, own, list(by.remit)), FileUnknown)
    expected.require(record["version"])
    started_from = record["version"] if base_version is None else base_version
    base = known(await connection.fetchrow(_BASE, person_id, started_from, record["wrapped"]), BaseUnknown)
    file = SealedFile(ring, record)
    present = _contents(record, file)
    merged = merge(present, base=_contents(base, SealedFile(ring, base)), changes=changes)
    if merged.clashing:
        raise StaleFile(record["version"], _both(merged.clashing, present, changes, in_clear=own and two_factors))
    if merged.result == present:
        return int(record["version"])
    today = day_of(now)
    check_stage_change(present["stage"], merged.result["stage"], today)
    version: int = record["version"] + 1
    fields = PersonalFields(*(merged.result[field] for field in FIELDS))
    sealed = seal_fields(file.data_key, fields, person_id=person_id, version=version)
    traits = [merged.result[trait] for trait in TRAITS]
    branch = record["organisation_id"]
    phone, former = merged.result["phone"], mobile_number(present["phone"] or "")
    kept = phone in {present["phone"], former}  # what was written before numbers had one form is no other number
    contents = (*traits, *sealed, own and two_factors and not kept, kept, own)
    await connection.execute(_INSERT_VERSION, person_id, version, now, by.actor, branch, *contents)
    phone_index = None if phone is None else ring.blind_index("phone", phone)
    await connection.execute(_KEEP, person_id, version, *traits, phone_index)
    if any(present[trait] != merged.result[trait] for trait in TRAITS):
        counts = await recount(session, [branch], today)
        check_size(counts[branch], today)
    if not (own and two_factors) and former is not None and not kept:
        text = "ways_in_changed" if own else "phone_replaced"
        told = Settings.texts.message(new_id(), international(former), text, "zh", {})
        await queue(session, ring, PhoneMessage, told, now=now, until=now + NOTICE_LIFETIME, person_id=person_id)
    await audit.record(session, by.entry("members.file.revised", subject=person_id), now=now)
    return version


def _contents(record: Mapping[str, Any], file: SealedFile) -> dict[str, Any]:
    return {trait: record[trait] for trait in TRAITS} | {field: file.open(field) for field in FIELDS}


def _both(
    clashing: Collection[str], present: Mapping[str, Any], changes: Mapping[str, Any], *, in_clear: bool
) -> dict[str, dict[str, object]]:
    """Show the stored value beside the one that was sent; a stored personal one masked, or `in_clear` to its person."""

    def stored(field: str) -> object:
        value = present[field]
        hidden = not in_clear and field in FIELDS and value is not None
        return masked(field, value) if hidden else value

    return {field: {"stored": stored(field), "sent": changes[field]} for field in clashing}
