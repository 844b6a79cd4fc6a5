"""Shadow tables: the same as live ones, in a schema of their own, filled beside them and then put in their place."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

SCHEMA = "rebuild"
_RETIRED = "rebuild_retired"

_OBSTACLES = """
    select case
        when c.oid is null then 'does not exist'
        when c.relkind <> 'r' then 'is not an ordinary table'
        when exists (select from pg_constraint where contype = 'f' and c.oid in (conrelid, confrelid))
            then 'has a foreign key, or is the target of one'
        when exists (select from pg_trigger where tgrelid = c.oid and not tgisinternal) then 'has a trigger'
        when exists (select from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
                     where d.refobjid = c.oid and d.deptype = 'a') then 'has a serial column; use an identity'
    end
    from (select to_regclass(format('public.%I', $1::text)) as oid) named left join pg_class c on c.oid = named.oid
"""
_INDEXES = """
    select format(
        'alter table %I.%I add constraint %I %s', $2::text, $1::text, conname, pg_get_constraintdef(oid)
    )
    from pg_constraint where conrelid = format('public.%I', $1)::regclass and contype in ('p', 'u', 'x')
    union all
    select replace(pg_get_indexdef(indexrelid), format(' ON public.%I ', $1), format(' ON %I.%I ', $2, $1))
    from pg_index i
    where indrelid = format('public.%I', $1)::regclass
      and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x'))
"""
_OPTIONS = """
    select format('alter table %I.%I set (%s)', $2::text, $1::text, array_to_string(reloptions, ', '))
    from pg_class where oid = format('public.%I', $1)::regclass and reloptions is not null
"""
_COLUMNS = """
    select quote_ident(attname) from pg_attribute
    where attrelid = format('public.%I', $1::text)::regclass and attnum > 0 and not attisdropped
      and attidentity = '' and attgenerated = '' and atttypid <> 'xid8'::regtype
    order by attnum
"""


class CannotRebuild(Exception):
    """A table is of a kind that cannot be rebuilt beside itself; the text says which and why."""


class TableComparison(NamedTuple):
    """One table's live and rebuilt contents: rows, and whether all rows are the same."""

    table: str
    live_rows: int
    rebuilt_rows: int
    equal: bool


async def create(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Make empty copies of these tables, with the same names for indexes and constraints, in the shadow schema.

    An outbox of its own takes what handlers append: a rebuild has no effect on others. Raises `CannotRebuild`.
    """
    async with connection.transaction():
        await drop(connection)
        await connection.execute(f"create schema {SCHEMA}")
        for table in tables:
            obstacle = await connection.fetchval(_OBSTACLES, table)
            if obstacle is not None:
                raise CannotRebuild(f"table {table} {obstacle}")
            await connection.execute(
                f'create table {SCHEMA}."{table}" (like public."{table}" including all excluding indexes)'
            )
            for query in (_INDEXES, _OPTIONS):
                for row in await connection.fetch(query, table, SCHEMA):
                    await connection.execute(row[0])
        await connection.execute(
            f"create table {SCHEMA}.outbox (like public.outbox including defaults including identity)"
        )


async def drop(connection: asyncpg.Connection) -> None:
    """Remove the shadow schema with all in it, if it is there."""
    await connection.execute("set local client_min_messages = warning")
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")


async def compare(connection: asyncpg.Connection, tables: Sequence[str]) -> list[TableComparison]:
    """Compare live and rebuilt rows by count and an order-free checksum, but for identities and ids of transactions."""
    result = []
    for table in tables:
        columns = ", ".join(row[0] for row in await connection.fetch(_COLUMNS, table))
        query = f"select count(*), coalesce(sum(hashtextextended(row({columns})::text, 0)), 0) from "  # noqa: S608 - names
        live = await connection.fetchrow(f'{query} public."{table}"')
        rebuilt = await connection.fetchrow(f'{query} {SCHEMA}."{table}"')
        result.append(TableComparison(table, live[0], rebuilt[0], tuple(live) == tuple(rebuilt)))
    return result


async def switch(connection: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Put the rebuilt tables in the place of the live ones, inside the connection's transaction."""
    await connection.execute(f"create schema {_RETIRED}")
    for table in tables:
        await connection.execute(f'alter table public."{table}" set schema {_RETIRED}')
        await connection.execute(f'alter table {SCHEMA}."{table}" set schema public')
        await connection.execute(f'drop table {_RETIRED}."{table}"')
    await connection.execute(f"drop schema {_RETIRED}")
