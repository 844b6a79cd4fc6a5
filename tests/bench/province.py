"""Makes the homes of a province once, for the measurements that need them: `make province`, or fewer with ITEMS=….

They stay in `.cache/province/`, with their size and seed beside them; what was broken off goes on.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg

import audit
import orgtree
from database import migrations
from standalone import processes
from standalone.postgres import PostgresServer

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".cache" / "province"
ITEMS: Final = 20_000_000
SEED: Final = 1
COUNTY_ITEMS: Final = 100_000
"""Items of one county: of its people 70 in 100, of its branches' members 22, of their staff 8; and a few of its own."""
BRANCHES: Final = 1_000
PEOPLE: Final = 20_000
READERS_OF: Final = 200
"""One in so many people has done a part of what there is for all; these are the ones who read in measurements.

The statements below have these numbers in them.
"""

_PREPARE: Final = f"""
create table if not exists county_made (county int primary key);
create or replace function named(name text) returns uuid language sql immutable return md5('{SEED} ' || name)::uuid;
"""
_PLACES: Final = """
insert into organisation (organisation_id, parent_id, kind, level, name, path, ancestors, version)
select named($2 || n), parent.organisation_id, case $2 when 'branch' then 'branch' else 'committee' end, $2,
       '某村党支部委员会', parent.path || named($2 || n) || '/', parent.ancestors || named($2 || n), 1
from generate_series($1::int * $3, $1 * $3 + $3 - 1) as n
join organisation as parent on parent.organisation_id = case $2
    when 'county' then $4 when 'township' then named('county' || $1) else named('township' || $1 * 10 + n % 10) end
"""
_MEMBERS: Final = """
insert into affiliation select named('person' || n), named('branch' || n / 20), 1
from generate_series($1::int * 20000, $1 * 20000 + 20000 - 1) as n
"""
_OF_PEOPLE: Final = """
insert into home_item
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select 'case.confirm:' || named('case' || n), 1, 'person:' || named('person' || $1 * 20000 + n % 20000),
       case n % 3 when 0 then 'case.confirm' else 'case.follow' end, named('case' || n),
       named('branch' || $1 * 1000 + n % 1000), now() - n % 1500 * interval '1 day',
       case n % 3 when 0 then null else now() + (n % 40 - 10) * interval '1 day' end, null, n % 5 < 2, '{}',
       '{"category": "roads", "status": "open"}'
from generate_series($1::int * 70000, $1 * 70000 + 69999) as n
"""
_OF_MEMBERS: Final = """
insert into home_item
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select 'activity.attend:' || subject, 1, 'members:' || place, 'activity.attend', subject, place,
       starts_at - interval '20 days', starts_at, starts_at + interval '2 hours', n % 10 < 4, array[subject],
       jsonb_build_object('activity_kind', 'party_class', 'starts_at', starts_at)
from (
    select n, named('activity' || n) as subject, named('branch' || $1 * 1000 + n % 1000) as place,
           now() + (n / 1000 % 22 - 16) * interval '9 days' as starts_at
    from generate_series($1::int * 22000, $1 * 22000 + 21999) as n
) as meeting
"""
_OF_STAFF: Final = """
insert into home_item
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select 'case.answer:' || named('case' || n), 1, 'staff:feedback.case.answer:' || place, 'case.answer',
       named('case' || n), place, now() - n % 30 * interval '1 day', now() + (n % 40 - 10) * interval '1 day', null,
       n % 5 < 2, '{}', '{"category": "roads", "status": "open"}'
from (select n, named('branch' || $1 * 1000 + n % 1000) as place
      from generate_series($1::int * 70000, $1 * 70000 + 7999) as n) as brought
"""
_COURSES: Final = """
insert into home_item
    (key, version, audience, kind, subject_id, organisation_id, since, due_at, expires_at, open, parts, facts)
select 'course.study:' || subject, 1, 'members:' || $1::uuid, 'course.study', subject, $1,
       now() - n * interval '3 days', null, null, true, array[subject],
       jsonb_build_object('title', '手机防诈骗', 'lesson_ids', array[subject])
from (select n, named($2::text || n) as subject from generate_series(1, $3::int) as n) as course
"""
_DONE: Final = """
insert into home_done
select named('person' || person), 'course.study', named($2::text || n), named($2 || n), 1, true
from generate_series($1::int * 20000, $1 * 20000 + 20000 - 1, 200) as person,
     generate_series(1, $3::int, 2) as n
"""
ROOT_COURSES: Final = 200
COUNTY_COURSES: Final = 40


@asynccontextmanager
async def opened(folder: Path = FOLDER) -> AsyncIterator[str]:
    """Run the province's own server for the length of the block, and give the address of the gateway's database."""
    password = _password(folder)
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB", "synchronous_commit": "off"}
    server = PostgresServer(
        folder / "postgres",
        port=processes.free_port(),
        password=password,
        log=folder / "postgres.log",
        settings=settings,
    )
    await asyncio.to_thread(server.start)
    try:
        connection = await asyncpg.connect(server.url())
        if not await connection.fetchval("select true from pg_database where datname = 'gateway'"):
            await connection.execute("create database gateway")
        await connection.close()
        yield server.url("gateway")
    finally:
        await asyncio.to_thread(server.stop)


def _password(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "password"
    if not secret.exists():
        secret.touch(0o600)
        secret.write_text(secrets.token_urlsafe())
    return secret.read_text()


def made(folder: Path = FOLDER) -> int:
    """Give how many items there are; none where nothing was made."""
    path = folder / "size.json"
    return int(json.loads(path.read_text())["items"]) if path.exists() else 0


async def make(url: str, items: int = ITEMS, *, seconds: float | None = None, folder: Path | None = None) -> int:
    """Make what is missing of so many items, county by county, and give how many there are.

    After `seconds` no further county is begun; one at least is made.
    """
    await audit.provision(url)
    await migrations.upgrade(url, ROOT / "services" / "gateway" / "migrations")
    began = time.perf_counter()
    connection = await asyncpg.connect(url)
    await connection.execute(_PREPARE)
    counties = await connection.fetchval("select count(*) from county_made")
    while counties * COUNTY_ITEMS < items and (not counties or not seconds or time.perf_counter() - began < seconds):
        async with connection.transaction():
            await _make_county(connection, counties)
        counties += 1
        if folder is not None:
            told = {"items": counties * COUNTY_ITEMS, "seed": SEED}
            (folder / "size.json").write_text(json.dumps(told))
            sys.stderr.write(f"\r{counties * COUNTY_ITEMS:,} of {items:,} items")
    await connection.execute("analyze")
    await connection.close()
    return int(counties * COUNTY_ITEMS)


async def _make_county(connection: asyncpg.Connection, county: int) -> None:
    if county == 0:
        await connection.execute(_COURSES, orgtree.ROOT_ID, "course", ROOT_COURSES)
    for level, fan in (("county", 1), ("township", 10), ("branch", BRANCHES)):
        await connection.execute(_PLACES, county, level, fan, orgtree.ROOT_ID)
    for statement in (_MEMBERS, _OF_PEOPLE, _OF_MEMBERS, _OF_STAFF):
        await connection.execute(statement, county)
    here = await connection.fetchval("select named('county' || $1::int)", county)
    await connection.execute(_COURSES, here, f"course of {county}, ", COUNTY_COURSES)
    await connection.execute(_DONE, county, "course", ROOT_COURSES)
    await connection.execute(_DONE, county, f"course of {county}, ", COUNTY_COURSES)
    await connection.execute("insert into county_made values ($1)", county)


async def main(items: int) -> None:
    """Make the province and say how large it is."""
    async with opened() as url:
        sys.stderr.write(f"\n{await make(url, items, folder=FOLDER):,} items in {FOLDER.relative_to(ROOT)}\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ITEMS))
