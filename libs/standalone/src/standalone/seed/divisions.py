"""Reads the official divisions of a province and checks every row before anything is built on it."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from standalone.refusals import CannotRun

COLUMNS = ("code", "name", "level", "parent_code")
DIGITS = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
"""Levels from the top down, and the digits of a code at each (GB/T 2260, then the statistical 12 digits)."""
LONGEST_NAME = 60


class InvalidDivisions(CannotRun):
    """The division file is wrong; the message is one line that names file, row and reason."""


class Division(NamedTuple):
    """One division of the state: its official code, name and level, and the code of the one above it."""

    code: str
    name: str
    level: str
    parent_code: str


class Divisions:
    """The divisions of one province by code, and the children of each in the order of the file."""

    def __init__(self, rows: Sequence[Division]) -> None:
        self.by_code = {row.code: row for row in rows}
        self.province = next(row for row in rows if row.level == "province")
        self._children: dict[str, list[Division]] = {}
        for row in rows:
            self._children.setdefault(row.parent_code, []).append(row)

    def children(self, code: str) -> Sequence[Division]:
        """Give the divisions directly below `code`."""
        return self._children.get(code, ())

    def chain(self, code: str) -> Sequence[Division]:
        """Give the divisions from the province down to `code`, itself included."""
        chain: list[Division] = []
        at: Division | None = self.by_code[code]
        while at is not None:
            chain.append(at)
            at = self.by_code.get(at.parent_code)
        return chain[::-1]


def read_divisions(path: Path) -> Divisions:
    """Read a gzipped CSV with the columns code, name, level, parent_code; parents come before their children.

    Raises `InvalidDivisions` for the first row that is wrong, counting the header as row 1, and for a file that is
    missing, cut off or no gzip.
    """
    seen: dict[str, Division] = {}
    for number, division in _rows(path):
        reason = _wrong(division, seen)
        if reason is not None:
            raise InvalidDivisions(f"{path.name}, row {number}: {reason}")
        seen[division.code] = division
    if not seen:
        raise InvalidDivisions(f"{path.name}: no divisions in it")
    return Divisions(list(seen.values()))


def _rows(path: Path) -> Iterator[tuple[int, Division]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number == 1:
                _check_header(path, cells)
            elif len(cells) != len(COLUMNS):
                raise InvalidDivisions(f"{path.name}, row {number}: {len(cells)} columns, expected {len(COLUMNS)}")
            else:
                yield number, Division(*cells)
    except csv.Error as error:
        raise InvalidDivisions(f"{path.name}, row {number + 1}: {error}") from error


def _text(path: Path) -> str:
    try:
        return gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    except OSError as error:  # gzip.BadGzipFile is one
        raise InvalidDivisions(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise InvalidDivisions(f"{path.name}: the gzip data is damaged or cut off: {error}") from error
    except UnicodeDecodeError as error:
        raise InvalidDivisions(f"{path.name}: byte {error.start} is not UTF-8") from error


def _check_header(path: Path, cells: Sequence[str]) -> None:
    missing = [column for column in COLUMNS if column not in cells]
    if missing:
        raise InvalidDivisions(f"{path.name}, row 1: column {missing[0]} is missing")
    if tuple(cells) != COLUMNS:
        raise InvalidDivisions(f"{path.name}, row 1: the columns are not {', '.join(COLUMNS)}")


def _wrong(division: Division, seen: dict[str, Division]) -> str | None:
    code, name, level, parent_code = division
    digits = DIGITS.get(level)
    if digits is None:
        return f"level {level!r} is none of {', '.join(DIGITS)}"
    if not re.fullmatch(rf"[0-9]{{{digits}}}", code):
        return f"code {code!r} is not {digits} digits, as a {level} has"
    if code in seen:
        return f"code {code} is there twice"
    if not 0 < len(name) <= LONGEST_NAME or name != name.strip():
        return f"the name is empty, padded or longer than {LONGEST_NAME} characters"
    return _wrong_place(division, seen, parent_code)


def _wrong_place(division: Division, seen: dict[str, Division], parent_code: str) -> str | None:
    """Say what is wrong with a division's place: one province, and each other one level below its parent."""
    if division.level == "province":
        if parent_code:
            return "a province has no parent_code"
        return "a second province" if seen else None
    parent = seen.get(parent_code)
    if parent is None:
        return f"parent_code {parent_code!r} is not among the rows above"
    levels = list(DIGITS)
    if levels.index(division.level) != levels.index(parent.level) + 1:
        return f"a {division.level} cannot be below a {parent.level}"
    if not division.code.startswith(parent_code):
        return f"code {division.code} does not begin with its parent's {parent_code}"
    return None
