"""How many connections of clients this process holds, and which of them goes when there is no room for another."""

import asyncio
import resource
from collections.abc import Hashable
from typing import Final

MOST_FILES: Final = 65_536
KEPT_FOR_OTHERS: Final = 512
"""Of the files that a process may have open: connections to services, to PostgreSQL and to NATS, and logs."""


class Crowd:
    """At most `most` connections. One that waits for a request costs its client nothing to open again, so it may go.

    When one too many comes, the first of its own address goes if that has more than an eighth of all waiting, else
    whichever has been waiting longest. So whoever opens thousands closes their own, and a request that has arrived is
    never broken off.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open = 0
        self._waiting: dict[asyncio.Transport, Hashable] = {}
        self._of_address: dict[Hashable, dict[asyncio.Transport, None]] = {}

    def come(self, connection: asyncio.Transport, address: Hashable) -> None:
        """Count a new connection, which waits for its first request; break another off if there is no room."""
        self._open += 1
        self.wait(connection, address)
        if self._open > self._most:
            own = self._of_address[address]
            going = next(iter(own if len(own) > self._most // 8 else self._waiting))
            self.serve(going)
            going.abort()

    def wait(self, connection: asyncio.Transport, address: Hashable) -> None:
        """Note that a connection waits for a request."""
        self._waiting[connection] = address
        self._of_address.setdefault(address, {})[connection] = None

    def serve(self, connection: asyncio.Transport) -> None:
        """Note that it waits no longer."""
        address = self._waiting.pop(connection, None)
        if address is not None:
            own = self._of_address[address]
            del own[connection]
            if not own:
                del self._of_address[address]

    def go(self, connection: asyncio.Transport) -> None:
        """Note that a connection is gone."""
        self._open -= 1
        self.serve(connection)


def room_for_connections() -> int:
    """Let this process open as many files as it may, and say how many of them connections of clients may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files // 2, files - KEPT_FOR_OTHERS)
