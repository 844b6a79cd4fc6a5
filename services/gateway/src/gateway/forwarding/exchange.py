"""One request to a service and its answer, sent a second time only where that cannot do harm."""

from typing import NamedTuple

from gateway.forwarding.client import Client
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import AnswerTooLarge, ConnectionStale, Crowded, ForwardingFailure
from gateway.forwarding.headers import Answer, Headers, RequestHead, write_head
from gateway.forwarding.limits import HELD_WHOLE, Timeouts
from gateway.forwarding.pool import Upstream
from gateway.forwarding.slow_clients import PLACE, Holding, places_for

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class Exchange:
    """`open` gives the answer's head, `piece` its body; `close` and `leave` must follow whatever happens.

    The connection goes back as soon as the service has said all: a slow client is waited for without one. While the
    client has not sent or read what is too large to wait here, the exchange is one of those that may keep a connection.
    """

    __slots__ = ("_client", "_failure", "_head", "_keeping", "_method", "_rest", "_timeouts", "_upstream", "connection")

    def __init__(
        self, upstream: Upstream, method: bytes, head: bytes, *, client: Client | None, timeouts: Timeouts
    ) -> None:
        self._upstream = upstream
        self._method = method
        self._head = head
        self._client = client
        self._timeouts = timeouts
        self._failure: ForwardingFailure | None = None
        self._keeping: Holding | None = None
        self._rest = b""
        self.connection: Connection | None = None

    async def open(self) -> Answer:
        """Send the request and wait for the head of its answer.

        A kept connection that the service closed before answering is replaced once by a fresh one, provided that the
        method is idempotent and the whole body is still at hand (RFC 9110 §9.2.2). Raises ForwardingFailure.
        """
        client = self._client
        if client is not None and not client.whole:
            await client.open()
            if not client.whole:
                self._keep(client)
        connection = await self._upstream.acquire(self._timeouts)
        repeatable = self._method in IDEMPOTENT and (client is None or client.whole)
        self._send(connection)
        try:
            return await connection.answered()
        except ConnectionStale:
            self.close()
            if not repeatable:
                raise
        connection = await self._upstream.acquire(self._timeouts, fresh=True)
        self._send(connection)
        return await connection.answered()

    async def piece(self) -> tuple[bytes, bool]:
        """Wait for more of the answer's body, and say whether it goes on."""
        if not self._rest and (connection := self.connection) is not None:
            self._rest = await connection.chunk()
            if connection.complete:
                self.close()
        if not self._rest and self._failure is not None:
            raise self._failure
        piece, self._rest = self._rest[:PLACE], self._rest[PLACE:]
        return piece, bool(self._rest) or self.connection is not None or self._failure is not None

    def over(self) -> None:
        """Keep what is left of a complete answer, or why there is none, and give the connection back."""
        connection = self.connection
        if connection is None:
            return
        if connection.complete:
            self._rest += connection.taken()
        elif connection.failure is not None:
            self._failure = connection.failure
        else:
            return
        self.close()

    def may_hold(self, size: int) -> bool:
        """Let an answer wait here if it is not too large and there is room for it."""
        connection, client = self.connection, self._client
        if connection is None or connection.complete or client is None or size > HELD_WHOLE:
            return False
        try:
            client.room.hold(places_for(size))
        except Crowded:
            return False
        return True

    def stuck(self) -> None:
        """Count among those that may keep a connection waiting, or break off."""
        if self._client is None or self.connection is None:
            return
        try:
            self._keep(self._client)
        except Crowded as failure:
            self.connection.fail(failure)

    def leave(self) -> None:
        """Make room for others."""
        if self._keeping is not None:
            self._keeping.leave()
        if self._client is not None:
            self._client.room.leave()

    def _keep(self, client: Client) -> None:
        if self._keeping is None:
            self._keeping = client.room.elsewhere(self._upstream.kept_waiting)
        self._keeping.hold(1)

    def close(self) -> None:
        """Give the connection back; the pool closes it unless the exchange ended cleanly."""
        if self._client is not None:
            self._client.leave()
        if self.connection is not None:
            self._upstream.release(self.connection)
            self.connection = None

    def _send(self, connection: Connection) -> None:
        self.connection = connection
        connection.begin(self._method, self._timeouts)
        connection.owner = self
        client = self._client
        if client is None:
            connection.request_sent = True
            connection.write(self._head)
            return
        connection.request_sent = client.whole
        connection.write(self._head + client.opening if client.opening else self._head)
        client.attend(connection)


class Fetched(NamedTuple):
    """A whole answer, for the gateway's own use."""

    status: int
    headers: Headers
    body: bytes


async def fetch(
    upstream: Upstream,
    target: str,
    *,
    host: str,
    timeouts: Timeouts,
    max_bytes: int,
    method: bytes = b"GET",
    headers: Headers | None = None,
    body: bytes = b"",
) -> Fetched:
    """Ask for `target` ("/path?query") of a service, with a `body` of JSON if any, and read the answer into memory.

    `headers` go along. Raises ForwardingFailure, and OddRequest for a header that is none.
    """
    own = b"host: %b\r\naccept: application/json\r\n" % host.encode("ascii")
    if body:
        own += b"content-type: application/json\r\n"
    lines = [piece for name, value in headers or [] for piece in (name + b": ", value, b"\r\n")]
    head = write_head(method, target.encode("ascii"), RequestHead(lines, len(body), chunked=False), own)
    exchange = Exchange(upstream, method, head + body, client=None, timeouts=timeouts)
    read = bytearray()
    more = True
    try:
        answer = await exchange.open()
        while more:
            data, more = await exchange.piece()
            read += data
            if len(read) > max_bytes:
                raise AnswerTooLarge("body")
    finally:
        exchange.close()
    return Fetched(answer.status, answer.headers, bytes(read))
