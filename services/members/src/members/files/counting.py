"""Keeps the counts of each branch in step with its members' files, and tells the other services when they change."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from china_time import day_of
from contracts.members import CompositionCountedV1
from database import Database, columns, raw, utc_now
from members.files.rules.counts import Counts, MemberTraits, counts_of
from messaging import Publication, append

BRANCHES_AT_A_TIME = 500

_BEGIN = """
    insert into composition
        (organisation_id, members, away, without_smartphone, stages, age_bands, counted_on, version)
    select organisation_id, 0, 0, 0, '{}', '{}', $2, 0 from unnest($1::uuid[]) organisation_id
    order by organisation_id
    on conflict do nothing
"""
_LOCK = """
    select organisation_id, members, away, without_smartphone, stages::text, age_bands::text, version
    from composition where organisation_id = any($1::uuid[]) order by organisation_id for update
"""
_TRAITS = """
    select organisation_id, stage, away, smartphone, birth_month from member where organisation_id = any($1::uuid[])
"""
_KEEP = """
    update composition c
    set members = n.members, away = n.away, without_smartphone = n.without_smartphone,
        stages = n.stages::jsonb, age_bands = n.age_bands::jsonb, counted_on = $7, version = c.version + 1
    from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[])
        n(organisation_id, members, away, without_smartphone, stages, age_bands)
    where c.organisation_id = n.organisation_id
"""
_MARK = "update composition set counted_on = $2 where organisation_id = any($1::uuid[]) and counted_on < $2"
_DUE = """
    select organisation_id from composition where counted_on < $1 and organisation_id > $2
    order by organisation_id limit $3
"""


async def recount(session: AsyncSession, organisation_ids: Collection[UUID], today: date) -> dict[UUID, Counts]:
    """Count these branches, keep and publish what changed, and give the counts of each.

    Call it after the members were written: it holds the branches' counts until the commit, so that each count sees all
    that was committed before. A branch is small, so it is counted anew instead of by differences that could drift.
    """
    connection = await raw(session)
    await connection.execute(_BEGIN, list(organisation_ids), today)
    stored = await connection.fetch(_LOCK, list(organisation_ids))
    people: dict[UUID, list[MemberTraits]] = {record["organisation_id"]: [] for record in stored}
    for organisation_id, *traits in await connection.fetch(_TRAITS, list(organisation_ids)):
        people[organisation_id].append(MemberTraits(*traits))
    counts = {organisation_id: counts_of(members, today) for organisation_id, members in people.items()}
    changed: list[Publication] = []
    for record in stored:
        organisation_id, now = record["organisation_id"], counts[record["organisation_id"]]
        if record["version"] == 0 or _stored(record) != now:
            event = CompositionCountedV1(organisation_id=organisation_id, **now._asdict())
            changed.append(Publication(event, record["version"] + 1))
    if changed:
        rows = [(p.event.aggregate_id, *_columns(counts[p.event.aggregate_id])) for p in changed]
        await connection.execute(_KEEP, *columns(rows), today)
        await append(session, changed)
    await connection.execute(_MARK, list(organisation_ids), today)
    return counts


async def count_anew_as_of_today(database: Database) -> None:
    """Count every branch once a day: people come of age without anybody changing a file."""
    today, last = day_of(utc_now()), UUID(int=0)
    while True:
        async with database.transaction() as session:
            due = await (await raw(session)).fetch(_DUE, today, last, BRANCHES_AT_A_TIME)
            if not due:
                return
            branches = [record["organisation_id"] for record in due]
            await recount(session, branches, today)
            last = branches[-1]


def _stored(record: asyncpg.Record) -> Counts:
    return Counts(
        record["members"],
        record["away"],
        record["without_smartphone"],
        orjson.loads(record["stages"]),
        orjson.loads(record["age_bands"]),
    )


def _columns(counts: Counts) -> tuple[int, int, int, str, str]:
    stages, bands = orjson.dumps(counts.stages).decode(), orjson.dumps(counts.age_bands).decode()
    return counts.members, counts.away, counts.without_smartphone, stages, bands
