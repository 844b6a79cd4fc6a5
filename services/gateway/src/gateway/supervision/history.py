"""Keeps what became of processes: several gateways may tell the same change, and it is kept once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from database import Database
from gateway.supervision.states import Change, Process

KEPT: Final = timedelta(days=90)

_RECALL: Final = "select service, role, instance, state, since from process_seen"
_KEEP: Final = """
with told as (
    select * from (values ($1::text, $2::text, $3::text, $4::text, $5::timestamptz))
        as told(service, role, instance, state, since)
), gone as (
    delete from process_seen using told
    where (process_seen.service, process_seen.role, process_seen.instance) = (told.service, told.role, told.instance)
      and told.state = 'gone'
    returning told.*
), seen as (
    insert into process_seen as kept (service, role, instance, state, since)
    select * from told where state <> 'gone'
    on conflict (service, role, instance) do update set state = excluded.state, since = excluded.since
    where kept.state <> excluded.state and kept.since < excluded.since
    returning service, role, instance, state, since
)
insert into state_change (service, role, instance, state, changed_at)
select service, role, instance, state, since from gone union all select * from seen
"""
_FORGET: Final = "delete from state_change where changed_at < now() - $1::interval"


async def recall(database: Database, now: datetime) -> list[Process]:
    """Give the processes that were known last; each has until three beats from now to be heard."""
    async with database.look() as connection:
        rows = await connection.fetch(_RECALL)
    return [Process((row[0], row[1], row[2]), row["state"], row["since"], now) for row in rows]


async def keep(database: Database, changes: Sequence[Change]) -> None:
    """Keep changes in the order in which they came."""
    async with database.raw_transaction() as connection:
        for change in changes:
            await connection.execute(_KEEP, *change.key, change.state or "gone", change.at)


async def forget_old(database: Database) -> None:
    """Forget changes of more than ninety days ago."""
    async with database.raw_transaction() as connection:
        await connection.execute(_FORGET, KEPT)
