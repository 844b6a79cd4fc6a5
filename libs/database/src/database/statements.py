"""What the driver takes and tells: a row or none, rows as columns for `unnest`, how many a statement touched."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")
_PARAMETER: Final = re.compile(r"\$(\d+)")


def known(found: T | None, otherwise: type[Exception]) -> T:
    """Give what a query found; raises `otherwise` where there is no such row, or none that may be seen."""
    if found is None:
        raise otherwise
    return found


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Turn rows, of which there is at least one, into a list for each of their columns."""
    return [list(column) for column in zip(*rows, strict=True)]


def count_of(status: str) -> int:
    """Read how many rows a statement touched from what the driver says of it, e.g. `INSERT 0 3` or `DELETE 3`."""
    return int(status.rpartition(" ")[2])


class Closing(NamedTuple):
    """An insert that can wait for the end: `one` takes the values of a row, `many` an array for each column."""

    one: str
    many: str


def together(waiting: Mapping[Closing, Sequence[Sequence[Any]]]) -> tuple[str, list[Any]]:
    """Give one statement that writes all these rows, and its arguments."""
    statements: list[tuple[str, int]] = []
    arguments: list[Any] = []
    for closing, rows in waiting.items():
        sql, values = (closing.one, rows[0]) if len(rows) == 1 else (closing.many, columns(rows))
        statements.append((sql, len(arguments)))
        arguments += values
    return _joined(tuple(statements)), arguments


@lru_cache(maxsize=100)
def _joined(statements: tuple[tuple[str, int], ...]) -> str:
    """Make one statement of several; the parameters of each are numbered on from so many before them."""
    *first, last = [
        _PARAMETER.sub(lambda found, before=before: f"${int(found[1]) + before}", sql)  # type: ignore[misc]
        for sql, before in statements
    ]
    return f"with {', '.join(f'part_{n} as ({sql})' for n, sql in enumerate(first))} {last}" if first else last
