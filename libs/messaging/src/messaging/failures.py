"""Whose fault a failure is: the moment's (try again later) or the event's (put it aside), and how it is told."""

import asyncio
import re
import traceback
from collections.abc import Iterator

import asyncpg
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_PASSING_CLASSES = ("08", "40", "53", "57", "58")  # connection, rollback, resources, operator, system
_PASSING_CODES = {
    "25006",  # read only, as a standby is
    "25P03",  # idle in transaction for too long
    "25P04",  # transaction time-out
    "55P03",  # lock not available
    "55006",  # object in use
    "0A000",  # a cached plan of before a migration
    "42P01",  # a table, column or function is missing or forbidden: the schema is behind the code,
    "42703",  # which is no event's fault
    "42883",
    "42501",
    "3F000",
}
_PASSING_TYPES = (ConnectionError, TimeoutError, asyncio.IncompleteReadError, MemoryError, PoolTimeoutError)
_MAX_LENGTH = 500
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.\[\]-]")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen:
        seen.add(id(present))
        yield present
        present = present.orig if isinstance(present, DBAPIError) else present.__cause__


def sqlstate_of(error: BaseException) -> str | None:
    """Give PostgreSQL's five-character code if this error came from it."""
    for present in _chain(error):
        code = getattr(present, "sqlstate", None)
        if isinstance(code, str):
            return code
    return None


def is_passing(error: BaseException) -> bool:
    """Say whether the same work can succeed later: connection, serialization, deadlock, time-out, full disk."""
    code = sqlstate_of(error)
    if code is not None:
        return code[:2] in _PASSING_CLASSES or code in _PASSING_CODES
    for present in _chain(error):
        if isinstance(present, DBAPIError) and present.connection_invalidated:
            return True
        if isinstance(present, asyncpg.InterfaceError) and not isinstance(present, ValueError):
            return True  # the connection is closed or busy; what it says of arguments is a ValueError
        if isinstance(present, asyncpg.InternalClientError):
            return True  # the server has just said that it ends, and the driver is between that and its end
        if isinstance(present, (OSError, *_PASSING_TYPES)):
            return True
    return False


def is_slow(error: BaseException) -> bool:
    """Say whether the work was cut off for taking too long: less of it at a time may pass."""
    return sqlstate_of(error) in {"57014", "25P04", "53200"} or isinstance(error, TimeoutError | MemoryError)


def describe(error: BaseException) -> str:
    """Tell an error by kinds, names and places alone: its own text may quote a row, and so a person."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    parts = [type(error).__name__]
    code = sqlstate_of(error)
    if code is not None:
        parts.append(f"sqlstate {code}")
        for present in _chain(error):
            for name in ("table_name", "column_name", "constraint_name"):
                value = getattr(present, name, None)
                if value:
                    parts.append(f"{name} {value}")
    if isinstance(error, ValidationError):
        for line in error.errors(include_url=False, include_context=False, include_input=False)[:10]:
            place = ".".join(str(part) for part in line["loc"])
            parts.append(f"{_NOT_A_NAME.sub('?', place)}: {line['type']}")  # a key may be anybody's word
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        last = frames[-1]
        parts.append(f"in {last.name} ({'/'.join(last.filename.split('/')[-2:])}:{last.lineno})")
    return "; ".join(dict.fromkeys(parts))[:_MAX_LENGTH]
