"""A backup as an operator takes one: pg_dump of a service's database, and pg_restore into a fresh one."""

import asyncio
from urllib.parse import urlsplit

from standalone.postgres import client_program
from testkit.databases import Template, TestDatabases


async def backup(databases: TestDatabases, url: str) -> bytes:
    """Dump a test's database, with everything in it, in PostgreSQL's own format."""
    return await _run("pg_dump", databases.superuser_url_of(url), "--format=custom")


async def restore(databases: TestDatabases, dump: bytes, url: str) -> str:
    """Make a database for the owner of the one at `url` that holds what was dumped; gives its address."""
    restored = await databases.create(Template("template0", urlsplit(url).username or ""))
    await _run("pg_restore", databases.superuser_url_of(restored), "--exit-on-error", stdin=dump)
    return restored


async def _run(program: str, url: str, *options: str, stdin: bytes | None = None) -> bytes:
    """Run a program of the embedded server on a database; raises `RuntimeError` with what it complained of."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        client_program(program), "--dbname", url, *options, stdin=pipe, stdout=pipe, stderr=pipe
    )
    output, errors = await process.communicate(stdin)
    if process.returncode:
        raise RuntimeError(f"{program}: {errors.decode(errors='replace')[-2000:]}")
    return output
