"""The connections to one service: opened when needed, kept, bounded, queued for, and closed in time."""

import asyncio
import ssl
from collections import deque
from urllib.parse import urlsplit

from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import ServiceBusy, ServiceUnreachable
from gateway.forwarding.limits import Limits, Timeouts
from gateway.forwarding.slow_clients import Room


class Upstream:
    """A service as the gateway reaches it: `acquire` a connection, use it for one exchange, `release` it.

    `url` is http://host:port or https://host:port, without a path. Belongs to the event loop it is first used in.
    """

    def __init__(self, service: str, url: str, *, limits: Limits | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{service}: not the address of a service: {url!r}")
        self.service = service
        self.limits = limits or Limits()
        self.kept_waiting = Room(max(1, self.limits.connections // 2))
        """For exchanges that keep a connection while their client is slow: half of the pool stays for the others."""
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._connecting = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """Connections open or being opened."""
        return len(self._connections) + self._connecting

    @property
    def idle(self) -> int:
        """Connections that wait for a request."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Requests that wait for a connection."""
        return len(self._waiters)

    async def acquire(self, timeouts: Timeouts, *, fresh: bool = False) -> Connection:
        """Give a connection for one exchange; `fresh` never gives one that has been idle.

        Raises ServiceUnreachable when none can be opened, ServiceBusy when the pool and its queue are full.
        """
        while True:
            if self._closed:
                raise ServiceUnreachable("closed")
            if self._idle and not fresh:
                connection = self._idle.pop()
                if connection.alive:
                    return connection
                self._drop(connection)
                continue
            if self._idle and self.open >= self.limits.connections:
                self._drop(self._idle.pop(0))
            if self.open < self.limits.connections:
                self._connecting += 1
                return await self._connect(timeouts)
            handed = await self._wait(timeouts)
            if handed is None:
                return await self._connect(timeouts)
            if handed.alive:
                return handed
            self._drop(handed)

    def release(self, connection: Connection) -> None:
        """Take a connection back after its exchange: kept when that ended cleanly, else closed."""
        connection.end()
        young = connection.moved_at - connection.opened_at < self.limits.age_seconds
        if not connection.reusable or not young or self._closed:
            self._drop(connection)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def close(self) -> None:
        """Close every connection, those in use too, and refuse what comes."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._connections):
            if connection.in_exchange:
                connection.fail(ServiceUnreachable("closed"))
            self._drop(connection)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ServiceUnreachable("closed"))
        self._waiters.clear()

    async def _connect(self, timeouts: Timeouts) -> Connection:
        """Open a connection in the place already counted in `_connecting`."""
        loop = asyncio.get_running_loop()
        connection: Connection | None = None
        try:
            async with asyncio.timeout(timeouts.connect):
                _, connection = await loop.create_connection(
                    lambda: Connection(self.limits, self._drop), self._host, self._port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            raise ServiceUnreachable(type(error).__name__) from error
        finally:
            self._connecting -= 1
            if connection is None:
                self._pass_place_on()
            else:
                self._connections.add(connection)
        if self._closed:  # meanwhile
            self._drop(connection)
            raise ServiceUnreachable("closed")
        if self._sweeper is None:
            self._sweeper = loop.call_later(self.limits.sweep_seconds, self._sweep)
        return connection

    async def _wait(self, timeouts: Timeouts) -> Connection | None:
        """Queue for a connection, or for a place to open one (None)."""
        if len(self._waiters) >= self.limits.waiting:
            raise ServiceBusy("queue full")
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeouts.queue):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_back(waiter.result())
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            if isinstance(error, TimeoutError):
                raise ServiceBusy("queue slow") from None
            raise

    def _give_back(self, handed: Connection | None) -> None:
        if handed is None:
            self._connecting -= 1
            self._pass_place_on()
        else:
            self.release(handed)

    def _pass_place_on(self) -> None:
        while self._waiters and self.open < self.limits.connections:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._connecting += 1
                waiter.set_result(None)

    def _drop(self, connection: Connection) -> None:
        """Forget a connection and close it; also called when it is lost by itself."""
        connection.abort()
        if connection in self._connections and not connection.in_exchange:
            self._connections.remove(connection)
            if connection in self._idle:
                self._idle.remove(connection)
            self._pass_place_on()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._check_times(loop.time())
        finally:
            self._sweeper = loop.call_later(self.limits.sweep_seconds, self._sweep) if self._connections else None

    def _check_times(self, now: float) -> None:
        for connection in list(self._connections):
            if connection.in_exchange:
                connection.check_times(now)
        for connection in list(self._idle):
            if now - connection.moved_at > self.limits.idle_seconds:
                self._drop(connection)
