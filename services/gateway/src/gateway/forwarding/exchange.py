"""One request to a service and its answer, sent a second time only where that cannot do harm."""

from typing import NamedTuple

from gateway.forwarding.client import Client
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import AnswerTooLarge, ConnectionStale
from gateway.forwarding.headers import Answer, Headers, RequestHead, write_head
from gateway.forwarding.limits import Timeouts
from gateway.forwarding.pool import Upstream

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class Exchange:
    """`open` gives the answer's head, `connection` its body; `close` must follow whatever happens."""

    __slots__ = ("_client", "_head", "_method", "_timeouts", "_upstream", "connection")

    def __init__(
        self, upstream: Upstream, method: bytes, head: bytes, *, client: Client | None, timeouts: Timeouts
    ) -> None:
        self._upstream = upstream
        self._method = method
        self._head = head
        self._client = client
        self._timeouts = timeouts
        self.connection: Connection | None = None

    async def open(self) -> Answer:
        """Send the request and wait for the head of its answer.

        A kept connection that the service closed before answering is replaced once by a fresh one, provided that the
        method is idempotent and the whole body is still at hand (RFC 9110 §9.2.2). Raises ForwardingFailure.
        """
        client = self._client
        if client is not None and not client.whole:
            await client.open(self._timeouts.idle)
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
) -> Fetched:
    """Ask for `target` ("/path?query") of a service, without a body, and read the answer into memory.

    `headers` go along. Raises ForwardingFailure, and OddRequest for a header that is none.
    """
    own = b"host: %b\r\naccept: application/json\r\n" % host.encode("ascii")
    lines = [piece for name, value in headers or [] for piece in (name + b": ", value, b"\r\n")]
    head = write_head(method, target.encode("ascii"), RequestHead(lines, 0, chunked=False), own)
    exchange = Exchange(upstream, method, head, client=None, timeouts=timeouts)
    body = bytearray()
    try:
        answer = await exchange.open()
        connection = exchange.connection
        while connection is not None and (data := await connection.chunk()):
            body += data
            if len(body) > max_bytes:
                raise AnswerTooLarge("body")
    finally:
        exchange.close()
    return Fetched(answer.status, answer.headers, bytes(body))
