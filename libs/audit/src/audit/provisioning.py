"""Makes the audit in a service's database, which takes the superuser: the service must not own what it records in."""

from importlib.resources import files
from typing import Any, Final

import asyncpg

from database import Database, closing
from webapi import CannotStart

_PRESENT = "select to_regclass('audit.origin') is not null"


def script() -> str:
    """Give the SQL that the superuser runs in a service's database, again and again if need be; psql takes it too."""
    return files("audit").joinpath("provisioning.sql").read_text(encoding="utf-8")


async def provision(superuser_url: str) -> None:
    """Make what is missing of the audit in the database at this address, for the role that owns the database."""
    async with closing(asyncpg.connect(superuser_url)) as connection:
        await connection.execute(script())


REVISION: Final = 2
"""What `provisioning.sql` makes of the audit today."""


class NotProvisioned(Exception):
    """The database has no audit; a superuser makes it by libs/audit/src/audit/provisioning.sql."""


async def require_current(database: Database) -> None:
    """Raise `CannotStart` where the database has the audit of an earlier release."""
    async with database.raw_transaction() as connection:
        found = await connection.fetchval("select revision from audit.origin")
    if found != REVISION:
        raise CannotStart(
            f"the audit of this database is of revision {found}, not {REVISION}: run "
            "libs/audit/src/audit/provisioning.sql in it as the superuser, once more"
        )


def require_v1(op: Any) -> None:
    """Raise `NotProvisioned` unless the database has its audit; for a service's migration, which cannot make it."""
    if op.get_context().as_sql:
        return
    if not op.get_bind().exec_driver_sql(_PRESENT).scalar():
        raise NotProvisioned(
            "this database has no audit: run libs/audit/src/audit/provisioning.sql in it as the superuser, once"
        )
