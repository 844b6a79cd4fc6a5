"""What the driver takes and what it tells: rows as columns for `unnest`, and how many rows a statement touched."""

from collections.abc import Iterable, Sequence
from typing import Any


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Turn rows, of which there is at least one, into a list for each of their columns."""
    return [list(column) for column in zip(*rows, strict=True)]


def count_of(status: str) -> int:
    """Read how many rows a statement touched from what the driver says of it, e.g. `INSERT 0 3` or `DELETE 3`."""
    return int(status.rpartition(" ")[2])
