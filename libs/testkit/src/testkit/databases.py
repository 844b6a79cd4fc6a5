"""A PostgreSQL database per test that holds what its template does, which is migrated once per session."""

import hashlib
import itertools
import re
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg

import audit
from database import closing
from testkit.rewinding import Original, SchemaChanged

_LOCK = 0x746573746B6974  # guards the making of roles and templates across workers; any constant will do


class Template(NamedTuple):
    """A migrated database to copy, and the role that owns it and its copies."""

    name: str
    owner: str


class Shared(NamedTuple):
    """A database that many tests use through the same connections.

    `await rewind()` makes it hold what its template does; it raises `SchemaChanged` after a test that should have had
    a database of its own.
    """

    url: str
    rewind: Callable[[], Awaitable[None]]


class TestDatabases:
    """The session's PostgreSQL server as tests use it. Addresses are `postgresql://user:password@127.0.0.1:port/name`.

    A role's password is its name.
    """

    __test__ = False

    def __init__(self, *, port: int, password: str) -> None:
        self.port = port
        self._password = password
        self._free: defaultdict[Template | None, list[tuple[str, Original]]] = defaultdict(list)

    @property
    def superuser_url(self) -> str:
        """The address of the server's own database for its superuser."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    def superuser_url_of(self, database: str) -> str:
        """Return the address of a database for the superuser."""
        return self.superuser_url.removesuffix("postgres") + database.rpartition("/")[2]

    def url(self, database: str, role: str) -> str:
        """Return the address of a database for a role."""
        return f"postgresql://{role}:{role}@127.0.0.1:{self.port}/{database}"

    async def template(
        self, owner: str, migrate: Callable[[str], Awaitable[object]], *, sources: Sequence[Path] = ()
    ) -> Template:
        """Return the template of this owner; the first worker makes it with `migrate(url)`, run as the owner.

        `owner` is the service's name, as in production. What the template is made of may be given as `sources`
        (files and directories): another content is another template. Without them the owner's name is the key.
        """
        key = hashlib.sha256(audit.script().encode())
        for file in sorted(_files(sources)):
            key.update(str(file).encode() + b"\0" + file.read_bytes())
        template = Template(f"template_{owner}_{key.hexdigest()[:12]}", owner)
        async with closing(asyncpg.connect(self.superuser_url)) as connection:
            await connection.execute("select pg_advisory_lock($1)", _LOCK)  # until the connection is closed
            await self._ensure_role(connection, owner)
            if await connection.fetchval("select 1 from pg_database where datname = $1", template.name):
                return template
            unfinished = f"{template.name}_unfinished"
            await connection.execute(f'drop database if exists "{unfinished}" with (force)')
            await connection.execute(f'create database "{unfinished}" owner "{owner}"')
            await audit.provision(self.superuser_url_of(unfinished))
            await migrate(self.url(unfinished, owner))
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", unfinished
            )
            await connection.execute(f'alter database "{unfinished}" rename to "{template.name}"')
        return template

    async def create(self, template: Template | None = None) -> str:
        """Make a database, a copy of the template or one with an audit alone, and return its address for its owner."""
        owner = template.owner if template else "tester"
        name = f"test_{owner}_{uuid.uuid4().hex[:12]}"
        async with closing(asyncpg.connect(self.superuser_url)) as connection:
            if template:
                copied = f'template "{template.name}" strategy file_copy'
            else:
                await self._ensure_role(connection, owner)
                copied = "template template0"
            await connection.execute(f'create database "{name}" owner "{owner}" {copied}')
        if template is None:
            await audit.provision(self.superuser_url_of(name))
        return self.url(name, owner)

    async def drop(self, url: str) -> None:
        """Delete a database made by `create`, ending whatever is still connected to it."""
        name = url.rpartition("/")[2]
        async with closing(asyncpg.connect(self.superuser_url)) as connection:
            await connection.execute(f'drop database if exists "{name}" with (force)')

    @asynccontextmanager
    async def database(self, template: Template | None = None) -> AsyncIterator[str]:
        """Give the address of a database that is this block's alone and holds what its template does.

        It is brought back to that and given to a later block, unless this one changed its schema.
        """
        if free := self._free[template]:
            url, original = free.pop()
        else:
            url = await self.create(template)
            original = await Original(self.superuser_url_of(url)).read()
        try:
            yield url
        finally:
            try:
                await original.restore(alone=True)
                free.append((url, original))
            except SchemaChanged:
                await original.close()
                await self.drop(url)

    @asynccontextmanager
    async def shared(self, template: Template) -> AsyncIterator[Shared]:
        """Make a database for the block, which is brought back while connections to it stay open."""
        url = await self.create(template)
        original = await Original(self.superuser_url_of(url)).read()
        try:
            yield Shared(url, partial(original.restore, alone=False))
        finally:
            await original.close()
            await self.drop(url)

    async def close(self) -> None:
        """Delete the databases that wait for another block."""
        for url, original in itertools.chain.from_iterable(self._free.values()):
            await original.close()
            await self.drop(url)

    async def _ensure_role(self, connection: asyncpg.Connection, name: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ValueError(f"{name!r} is no name for a role")
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", name):
            with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # another worker was quicker
                await connection.execute(f"create role \"{name}\" login password '{name}'")


def _files(sources: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for source in sources:
        files = source.rglob("*") if source.is_dir() else [source]
        found += [file for file in files if file.is_file() and "__pycache__" not in file.parts]
    return found
