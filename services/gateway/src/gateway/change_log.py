"""Writes the logs of changes: never back to an earlier version, and nothing of who is erased."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple
from uuid import UUID

import asyncpg

from database import columns

Log = Literal["change", "home_change"]
LOGS: Final[tuple[Log, ...]] = ("change", "home_change")

# A row that is written anew takes its place at the end. An older state of a thing adds no audience that it left since.
_WRITE = """
with new as (
    select * from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::boolean[], $6::boolean[])
        as told(scope, subject_id, audience, version, gone, part)
)
insert into {log} as kept (scope, subject_id, audience, version, gone, part)
select * from new
where not exists (select from erased_person erased where new.audience = 'person:' || erased.person_id)
  and (new.part or not exists (
      select from {log} later
      where later.scope = new.scope and later.subject_id = new.subject_id and not later.part
        and later.version > new.version))
order by scope, subject_id, audience
on conflict (scope, subject_id, audience) do update set
    version = excluded.version, gone = excluded.gone, part = excluded.part, txid = excluded.txid, id = excluded.id
where kept.version < excluded.version or excluded.version is null
"""
_LEAVE = """
update {log} as kept set version = new.version, gone = true, txid = default, id = default
from (
    select scope, subject_id, max(version) as version
    from unnest($1::text[], $2::uuid[], $3::bigint[]) as told(scope, subject_id, version) group by scope, subject_id
) as new
where kept.scope = new.scope and kept.subject_id = new.subject_id and not kept.part and not kept.gone
  and kept.version < new.version
"""


class Row(NamedTuple):
    """One thing in one audience; the log's columns of these names say what each is."""

    scope: str
    subject_id: UUID
    audience: str
    version: int | None
    gone: bool
    part: bool


async def write(
    connection: asyncpg.Connection, log: Log, rows: Iterable[Row], *, gone: Iterable[tuple[str, UUID, int]] = ()
) -> None:
    """Write what changed, each row of its own audience, and take things out of audiences that they left.

    What is `gone`, by scope, subject and version, leaves them all. The transaction has come past `write_about_people`.
    """
    by_key = {row[:3]: row for row in rows}
    if by_key:
        await connection.execute(_WRITE.format(log=log), *columns(by_key.values()))
    if left := [*gone, *((row.scope, row.subject_id, row.version) for row in by_key.values() if not row.part)]:
        await connection.execute(_LEAVE.format(log=log), *columns(left))


async def forget(connection: asyncpg.Connection, log: Log, person_ids: Sequence[UUID]) -> None:
    """Take what these people were told out of a log."""
    await connection.execute(
        f"delete from {log} where audience = any(select 'person:' || gone from unnest($1::uuid[]) as gone)",  # noqa: S608 - one of `LOGS`
        list(person_ids),
    )
