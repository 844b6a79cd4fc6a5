"""A role and a database for each service on one PostgreSQL server, each with an audit; none enters another's."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import asyncpg

from standalone.refusals import CannotRun
from standalone.services import folder_of


def prepare(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Make what is missing: for each name a role with that password, a database it owns, and the audit in it.

    Quick when all is there. Raises CannotRun when the server does not know the superuser's password.
    """
    try:
        asyncio.run(_prepare(superuser_url, passwords))
    except asyncpg.InvalidPasswordError as error:
        raise CannotRun(
            "PostgreSQL's data were made with another password than secrets.json has; restore that file from a backup"
        ) from error


async def _prepare(superuser_url: str, passwords: Mapping[str, str]) -> None:
    if (package := folder_of("audit")) is None:
        raise CannotRun("this environment has no audit; install the package xiangqiao-audit")
    audit = (package / "provisioning.sql").read_text("utf-8")
    connection = await asyncpg.connect(superuser_url)
    try:
        roles = {row[0] for row in await connection.fetch("select rolname from pg_roles")}
        databases = {row[0] for row in await connection.fetch("select datname from pg_database")}
        await connection.execute("revoke all on database postgres from public")
        for name, password in passwords.items():
            if name not in roles:
                await connection.execute(f"create role {name} login password {_quoted(password)}")
            if name not in databases:
                await connection.execute(f"create database {name} owner {name}")
                await connection.execute(f"revoke all on database {name} from public")
    finally:
        await connection.close()
    for name in passwords:
        connection = await asyncpg.connect(urlsplit(superuser_url)._replace(path=f"/{name}").geturl())
        try:
            await connection.execute(audit)
        finally:
            await connection.close()


def _quoted(text: str) -> str:
    if not text.isascii() or "'" in text or "\\" in text:
        raise ValueError("a generated password has letters, digits, - and _ alone")
    return f"'{text}'"
