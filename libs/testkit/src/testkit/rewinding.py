"""Brings a database back to what it held at first, which costs a hundredth of another copy of its template."""

import io
from typing import NamedTuple

import asyncpg

from database import closing

_TABLES = """
select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r' and pg_class.oid >= 16384 and nspname <> 'information_schema'
"""
_SEQUENCES = "select format('%I.%I', schemaname, sequencename), start_value, last_value from pg_sequences"
# What a session makes for itself goes with it, though perhaps only after it has ended.
_WHAT_MAKES_A_SCHEMA = {
    **dict.fromkeys(("pg_attrdef", "pg_trigger", "pg_policy", "pg_enum", "pg_default_acl"), "true"),
    **dict.fromkeys(("pg_class", "pg_constraint", "pg_rewrite"), "oid >= 16384"),
    "pg_namespace": "nspname !~ '^pg_(toast_)?temp_'",
    "pg_proc": "oid >= 16384 and pronamespace::regnamespace::text !~ '^pg_temp_'",
    "pg_attribute": "attrelid >= 16384",
    "pg_index": "indrelid >= 16384",
    "pg_db_role_setting": "setdatabase = (select oid from pg_database where datname = current_database())",
}
# Each statement that makes, changes or drops anything of a schema writes a row of these with its own transaction's id.
_MARKS = (
    f"(select concat(count(*), '/', sum(xmin::text::bigint)) from {catalog} where {ours})"  # noqa: S608 - the above
    for catalog, ours in _WHAT_MAKES_A_SCHEMA.items()
)
_SCHEMA = f"select concat_ws(' ', {', '.join(_MARKS)})"
_END_OTHERS = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


class SchemaChanged(Exception):
    """Somebody made, changed or dropped a table, a right or the like: the rows alone cannot bring that back."""


class Snapshot(NamedTuple):
    """What a database held at first: its schema's mark, its rows, and the statements that take away all others."""

    schema: str
    rows: dict[tuple[str, str], bytes]
    emptying: str


async def taken(superuser_url: str) -> Snapshot:
    """Read what the database at this address holds."""
    async with closing(asyncpg.connect(superuser_url)) as connection:
        tables = await connection.fetch(_TABLES)
        rows = {}
        for schema, table in tables:
            if await connection.fetchval(f'select exists (select from "{schema}"."{table}")'):  # noqa: S608
                copied = io.BytesIO()
                await connection.copy_from_table(table, schema_name=schema, output=copied, format="binary")
                rows[schema, table] = copied.getvalue()
        emptying = [f'delete from "{schema}"."{table}"' for schema, table in tables]  # noqa: S608
        for name, first, last in await connection.fetch(_SEQUENCES):
            emptying.append(f"select setval('{name}', {last or first}, {last is not None})")
        return Snapshot(await connection.fetchval(_SCHEMA), rows, "; ".join(emptying))


async def rewind(superuser_url: str, snapshot: Snapshot, *, alone: bool) -> None:
    """Make the database hold what it held then; when `alone`, first end whatever is still connected to it.

    Raises `SchemaChanged`.
    """
    async with closing(asyncpg.connect(superuser_url, server_settings={"lock_timeout": "10s"})) as connection:
        if alone:
            await connection.execute(_END_OTHERS)
        if await connection.fetchval(_SCHEMA) != snapshot.schema:
            raise SchemaChanged(superuser_url.rpartition("/")[2])
        async with connection.transaction():
            await connection.execute(f"set local session_replication_role = replica; {snapshot.emptying}")
            for (schema, table), rows in snapshot.rows.items():
                await connection.copy_to_table(table, schema_name=schema, source=io.BytesIO(rows), format="binary")
