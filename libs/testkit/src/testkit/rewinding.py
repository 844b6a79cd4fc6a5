"""Brings a database back to what it held at first, which costs a hundredth of another copy of its template."""

import asyncpg

# Every table, and a list of the columns that are written and not made of others.
_TABLES = """
select format('%I.%I', nspname, relname), (
    select string_agg(quote_ident(attname), ', ') from pg_attribute
    where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = ''
)
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
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


class Original:
    """What a database held at first: its schema's mark, and the statements that make its rows those and no others.

    The superuser's connection stays, for each test asks for it.
    """

    def __init__(self, superuser_url: str) -> None:
        self._url = superuser_url
        self._connection: asyncpg.Connection | None = None
        self._schema = ""
        self._restoring: list[str] = []

    async def read(self) -> "Original":
        """Read what the database holds."""
        connection = await self._connected()
        self._schema = await connection.fetchval(_SCHEMA)
        tables = await connection.fetch(_TABLES)
        self._restoring = [f"delete from {table}" for table, _ in tables]  # noqa: S608 - names that are quoted
        for table, columns in tables:
            rows = await connection.fetchval(f"select quote_literal(json_agg(t)::text) from {table} t")  # noqa: S608
            if rows is not None:
                given = f"select {columns} from json_populate_recordset(null::{table}, {rows})"  # noqa: S608
                self._restoring.append(f"insert into {table} ({columns}) overriding system value {given}")
        for name, first, last in await connection.fetch(_SEQUENCES):
            self._restoring.append(f"select setval('{name}', {last or first}, {last is not None})")
        return self

    async def restore(self, *, alone: bool) -> None:
        """Make the database hold that again; when `alone`, first end whatever is still connected to it.

        Raises `SchemaChanged`.
        """
        connection = await self._connected()
        if alone:
            await connection.execute(_END_OTHERS)
        if await connection.fetchval(_SCHEMA) != self._schema:
            raise SchemaChanged(self._url.rpartition("/")[2])
        async with connection.transaction():
            await connection.execute("; ".join(["set local session_replication_role = replica", *self._restoring]))

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():  # a test may have ended it
            self._connection = await asyncpg.connect(self._url, server_settings={"lock_timeout": "10s"})
        return self._connection
