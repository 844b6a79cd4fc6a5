"""Operations that will go: the headers that say so in their answers (RFC 9745 and RFC 8594)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, NamedTuple, TypeAlias

from audit.declaration import EXTENSION as _AUDITED
from webapi.describing import SINCE, SUNSET

_ALWAYS: Final = "1970-01-01"
"""Since when an operation is deprecated that does not say it."""


class Ending(NamedTuple):
    """An operation, by its method and the form of its path, and the header lines that tell of its end."""

    method: str
    path: re.Pattern[bytes]
    lines: tuple[tuple[bytes, bytes], ...]


Endings: TypeAlias = Sequence[Ending]
Forms: TypeAlias = Sequence[re.Pattern[bytes]]
"""Forms of paths."""


def endings_of(paths: dict[str, Any]) -> list[Ending]:
    """Find the deprecated operations of a document's paths; raises `ValueError` for a day that is none."""
    found = []
    for path, item in paths.items():
        form = _form_of(path)
        for method, operation in item.items():
            if isinstance(operation, dict) and operation.get("deprecated") is True:
                lines = [(b"deprecation", b"@%d" % _day(operation.get(SINCE, _ALWAYS)).timestamp())]
                if SUNSET in operation:
                    lines.append((b"sunset", format_datetime(_day(operation[SUNSET]), usegmt=True).encode()))
                found.append(Ending(method.upper(), form, tuple(lines)))
    return found


def lines_for(endings: Endings, method: str, path: bytes) -> Sequence[tuple[bytes, bytes]]:
    """Give the header lines for answers to a request; a head is of what is got."""
    method = "GET" if method == "HEAD" else method
    return next((each.lines for each in endings if each.method == method and each.path.fullmatch(path)), ())


def unrecorded_of(paths: dict[str, Any]) -> list[re.Pattern[bytes]]:
    """Find the paths whose reading leaves no entry in any audit."""
    return [
        _form_of(path)
        for path, item in paths.items()
        if isinstance(read := item.get("get"), dict) and not isinstance(read.get(_AUDITED), list)
    ]


def _form_of(path: str) -> re.Pattern[bytes]:
    parts = ("[^/]+" if "{" in part else re.escape(part) for part in path.split("/"))
    return re.compile("/".join(parts).encode("ascii"))


def _day(text: object) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
