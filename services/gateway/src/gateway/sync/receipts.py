"""Keeps the results of acts by month, and drops whole months."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from database import Database, closing, columns
from gateway.erasing import write_about_people
from gateway.sync.schemas import Op

KEPT: Final = timedelta(days=90)
LOCK_TIMEOUT: Final = "2s"

_FIND: Final = """
select distinct on (op_id) op_id, op_hash, result, status, problem::text, subject_version from sync_receipt
where person_id = $1 and op_id = any($2::uuid[]) order by op_id, month
"""
_KEEP: Final = """
insert into sync_receipt (person_id, op_id, month, actor_id, kind, subject_id, op_hash, result, status, problem,
                          subject_version, acted_at, received_at)
select $1, op_id, date_trunc('month', $3 at time zone 'UTC')::date, $2, kind, subject_id, op_hash, result, status,
       problem::jsonb, version, acted_at, $3
from unnest($4::uuid[], $5::text[], $6::uuid[], $7::bytea[], $8::text[], $9::integer[], $10::text[], $11::bigint[],
            $12::timestamptz[])
    as new (op_id, kind, subject_id, op_hash, result, status, problem, version, acted_at)
where not exists (select from erased_person gone where gone.person_id = $1)
order by op_id on conflict do nothing
"""
_MONTHS: Final = """
select child.relname from pg_inherits join pg_class child on child.oid = inhrelid
where inhparent = 'sync_receipt'::regclass and child.relname <> 'sync_receipt_default'
"""
_TOLD_OF_PROBLEMS: Final = ("type", "title", "status", "detail", "rule", "zh", "en", "holds_from", "source")
"""What is kept of a problem: nothing that a service tells of the subject itself."""


class Receipt(NamedTuple):
    """What became of an act."""

    op_hash: bytes
    result: str
    status: int | None
    problem: dict[str, Any] | None
    version: int | None


def hash_of(op: Op) -> bytes:
    """Give what tells an act from another one under the same id."""
    told = op.model_dump(mode="json", exclude={"op_id", "after"})
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).digest()


async def find(connection: asyncpg.Connection, person_id: UUID, op_ids: Collection[UUID]) -> dict[UUID, Receipt]:
    """Give the receipts of these acts of a person, where there are any."""
    rows = await connection.fetch(_FIND, person_id, list(op_ids))
    return {
        row["op_id"]: Receipt(
            row["op_hash"],
            row["result"],
            row["status"],
            orjson.loads(row["problem"]) if row["problem"] else None,
            row["subject_version"],
        )
        for row in rows
    }


async def keep(
    connection: asyncpg.Connection,
    person_id: UUID,
    actor_id: UUID | None,
    settled: Sequence[tuple[Op, Receipt]],
    *,
    now: datetime,
) -> None:
    """Keep receipts, of which there is one at least; the first of an act stays, and none of who is erased."""
    rows = [
        (
            op.op_id,
            op.kind,
            op.subject_id,
            receipt.op_hash,
            receipt.result,
            receipt.status,
            None if receipt.problem is None else orjson.dumps(without_the_subject(receipt.problem)).decode(),
            receipt.version,
            op.acted_at,
        )
        for op, receipt in settled
    ]
    await write_about_people(connection)
    await connection.execute(_KEEP, person_id, actor_id, now, *columns(rows))


def without_the_subject(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Give a problem without what a service tells of the subject itself."""
    return {name: problem[name] for name in _TOLD_OF_PROBLEMS if name in problem}


async def keep_months(database: Database) -> None:
    """Make the partitions of this month and the next, and drop those of which nothing is kept any more."""
    async with closing(database.connect()) as connection:
        await connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT}'")
        today: date = await connection.fetchval("select (now() at time zone 'UTC')::date")
        there = {row["relname"] for row in await connection.fetch(_MONTHS)}
        first = today.replace(day=1)
        for month in (first, _after(first)):
            if (name := _name(month)) not in there:
                await _make(connection, name, month)
        oldest = (today - KEPT).replace(day=1)
        for name in sorted(there):
            if name < _name(oldest):
                await connection.execute(f"drop table {name}")
        await connection.execute("delete from sync_receipt_default where month < $1", oldest)


async def _make(connection: asyncpg.Connection, name: str, month: date) -> None:
    """Make one partition; what had to go to the default one meanwhile moves into it."""
    async with connection.transaction():
        await connection.execute("lock table sync_receipt_default in access exclusive mode")
        await connection.execute(f"create table {name} (like sync_receipt including defaults including constraints)")
        await connection.execute(
            f"with moved as (delete from sync_receipt_default where month = $1 returning *) "  # noqa: S608 - our own name
            f"insert into {name} select * from moved",
            month,
        )
        await connection.execute(
            f"alter table sync_receipt attach partition {name} for values from ('{month}') to ('{_after(month)}')"
        )


def _name(month: date) -> str:
    return f"sync_receipt_{month:%Y%m}"


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
