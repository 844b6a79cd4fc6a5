"""How long a service has for the head of its answer, and how a client asks for less."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from webapi.deadlines import HEADER

READ_SECONDS: Final = 5.0
WRITE_SECONDS: Final = 10.0
SLOW_SECONDS: Final = 60.0
"""For what reads or makes a file, and for many acts in one request."""
PREFER: Final = b"prefer"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WAIT: Final = re.compile(rb'(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:[,;]|$)', re.IGNORECASE)


def wait_in(prefer: bytes) -> float | None:
    """Read the preference `wait` (RFC 7240, section 4.3), in seconds and 1 at least; None where there is none."""
    found = _WAIT.search(prefer)
    return max(1.0, float(found[1])) if found is not None else None


@lru_cache(maxsize=1024)
def line_for(milliseconds: int) -> bytes:
    """Write the header line that tells a service how long it has from now on, 1 ms at least."""
    return b"%b: %d\r\n" % (HEADER, max(1, milliseconds))


def announced(headers: Iterable[tuple[bytes, bytes]], seconds: float) -> list[tuple[bytes, bytes]]:
    """Give a request's headers with how long it has once it is whole, for the application behind the door."""
    waits = [wait for name, value in headers if name == PREFER and (wait := wait_in(value)) is not None]
    told = b"%d" % int(1000 * min([seconds, *waits[:1]]))
    return [*(header for header in headers if header[0] != HEADER), (HEADER, told)]
