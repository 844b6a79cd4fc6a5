"""What the driver takes and tells: a row or none, rows as columns for `unnest`, how many a statement touched."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


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
