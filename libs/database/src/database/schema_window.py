"""Which releases may run on a database: an `expand` revision lets those of before go on, a `contract` ends them.

A revision's module says `PHASE = "expand" | "contract"`, and `OLDEST_CODE`: the newest revision of the oldest code that
works once it is applied. The database keeps that one, so that code older than its schema can tell whether it may run.
"""

from collections.abc import Sequence
from typing import Any, Final

from alembic.script import Script
from sqlalchemy import Connection, text

TABLE: Final = "schema_window"
_MAKE: Final = f"""
    create table if not exists {TABLE} (
        only_row boolean primary key default true check (only_row), oldest_code text not null
    )
"""
_BEGIN: Final = f"insert into {TABLE} (oldest_code) values (:oldest) on conflict do nothing"  # noqa: S608 - no input
_NARROW: Final = f"update {TABLE} set oldest_code = :oldest"  # noqa: S608 - no input
_READ: Final = f"select oldest_code from {TABLE}"  # noqa: S608 - no input
_SESSIONS: Final = """
    select distinct application_name from pg_stat_activity
    where datname = current_database() and application_name like '%/%/%' order by 1
"""


def is_contract(revision: Script) -> bool:
    """Whether it takes away what code of before needs; one that says nothing does not."""
    return getattr(revision.module, "PHASE", "expand") == "contract"


def oldest_code_of(revision: Script) -> str | None:
    """Give the oldest code that works with it; None: whichever did before."""
    oldest: str | None = getattr(revision.module, "OLDEST_CODE", revision.revision if is_contract(revision) else None)
    return oldest


def make(connection: Connection, first: str) -> None:
    """Make the table where there is none, open to code of the revision `first`."""
    connection.execute(text(_MAKE))
    connection.execute(text(_BEGIN), {"oldest": first})


def read(connection: Connection) -> str | None:
    """Give the oldest code that may run; None in a database that does not tell."""
    if connection.scalar(text("select to_regclass(:table)"), {"table": TABLE}) is None:
        return None
    oldest: str | None = connection.scalar(text(_READ))
    return oldest


def narrow(ctx: Any, step: Any, *_: object, **__: object) -> None:
    """Be Alembic's `on_version_apply`: write down the oldest code in the transaction of the revision."""
    oldest = oldest_code_of(step.up_revision) if step.is_upgrade else None
    if oldest is not None:
        ctx.connection.execute(text(_NARROW), {"oldest": oldest})


def older_code(connection: Connection, line: Sequence[str], oldest: str) -> list[str]:
    """Name the processes, `<service>/<command>/<revision>`, whose code is before `oldest` in the `line`, newest first.

    Only processes with a session in this database are seen; those of code that is newer than the line are not older.
    """
    before = set(line[line.index(oldest) + 1 :])
    names = connection.scalars(text(_SESSIONS))
    return [name for name in names if name.rpartition("/")[2] in before]
