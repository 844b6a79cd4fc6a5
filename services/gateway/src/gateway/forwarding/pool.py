"""The connections to one address of a service: opened when needed, kept, bounded, queued for, and closed in time."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from gateway.edge.breaker import Breaker, Breaking
from gateway.forwarding.addresses import Address
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import Crowded, ServiceBusy, ServiceUnreachable, ShuttingDown
from gateway.forwarding.limits import Limits, Timeouts
from gateway.forwarding.slow_clients import Holding, Room


class Pool:
    """The connections to one address: `acquire` one, use it for one exchange, `release` it.

    Belongs to the event loop it is first used in.
    """

    def __init__(self, address: Address, *, limits: Limits | None = None, breaking: Breaking | None = None) -> None:
        self.address = address
        self.limits = limits or Limits()
        self.breaker = Breaker(breaking or Breaking())
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        self._connecting = 0
        self._queue = Room(self.limits.waiting)
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed: type[ServiceUnreachable] | None = None

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

    @property
    def in_use(self) -> int:
        """Exchanges under way, those that wait for a connection included."""
        return len(self._connections) - len(self._idle) + self._connecting + len(self._waiters)

    async def acquire(
        self, timeouts: Timeouts, due: float = inf, *, fresh: bool = False, room: Holding | None = None
    ) -> Connection:
        """Give a connection for one exchange; `fresh` never gives one that has been idle.

        Of the queue everybody may take a share, too; `room` knows whose request it is, None for the gateway's own.

        Raises ServiceUnreachable when none can be opened, ServiceBusy when the pool and its queue are full; at the time
        `due` it does either, too.
        """
        while True:
            if self._closed is not None:
                raise self._closed("closed")
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
                return await self._connect(timeouts, due)
            with self._place_of(room):
                handed = await self._wait(timeouts, due)
            if handed is None:
                return await self._connect(timeouts, due)
            if handed.alive:
                return handed
            self._drop(handed)

    def release(self, connection: Connection) -> None:
        """Take a connection back after its exchange: kept when that ended cleanly, else closed."""
        connection.end()
        young = connection.moved_at - connection.opened_at < self.limits.age_seconds
        if not connection.reusable or not young or self._closed is not None:
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
        self._refuse(ShuttingDown)
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._connections):
            if connection.in_exchange:
                connection.fail(ShuttingDown("closed"))
            self._drop(connection)

    def retire(self) -> None:
        """Refuse what comes, and close each connection once its exchange is over: the address is none any more."""
        self._refuse(ServiceUnreachable)
        for connection in list(self._idle):
            self._drop(connection)

    def _refuse(self, failure: type[ServiceUnreachable]) -> None:
        self._closed = failure
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(failure("closed"))
        self._waiters.clear()

    async def _connect(self, timeouts: Timeouts, due: float) -> Connection:
        """Open a connection in the place already counted in `_connecting`."""
        loop = asyncio.get_running_loop()
        connection: Connection | None = None
        host, port, name, tls = self.address
        try:
            async with asyncio.timeout_at(min(loop.time() + timeouts.connect, due)):
                _, connection = await loop.create_connection(
                    lambda: Connection(self.limits, self._drop),
                    host,
                    port,
                    ssl=tls,
                    server_hostname=name if tls is not None else None,
                )
        except (OSError, TimeoutError) as error:
            raise ServiceUnreachable(type(error).__name__) from error
        finally:
            self._connecting -= 1
            if connection is None:
                self._pass_place_on()
            else:
                self._connections.add(connection)
        if self._closed is not None:  # meanwhile
            self._drop(connection)
            raise self._closed("closed")
        if self._sweeper is None:
            self._sweeper = loop.call_later(self.limits.sweep_seconds, self._sweep)
        return connection

    @contextmanager
    def _place_of(self, room: Holding | None) -> Iterator[None]:
        if room is None:
            yield
            return
        place = room.elsewhere(self._queue)
        try:
            place.hold(1)
            yield
        except Crowded as error:
            raise ServiceBusy("queue full for whoever asks") from error
        finally:
            place.leave()

    async def _wait(self, timeouts: Timeouts, due: float) -> Connection | None:
        """Queue for a connection, or for a place to open one (None)."""
        if len(self._waiters) >= self.limits.waiting:
            raise ServiceBusy("queue full")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout_at(min(loop.time() + timeouts.queue, due)):
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
