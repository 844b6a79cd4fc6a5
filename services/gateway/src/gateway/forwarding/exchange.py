"""One request to a service and its answer, sent a second time only where that cannot do harm."""

from math import inf
from time import monotonic
from typing import NamedTuple

from gateway.edge.deadlines import line_for
from gateway.forwarding.client import Client
from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import (
    AnswerTooLarge,
    ConnectionLost,
    Crowded,
    ForwardingFailure,
    ServiceUnreachable,
    ShuttingDown,
)
from gateway.forwarding.headers import Answer, Headers, RequestHead, write_head
from gateway.forwarding.limits import HELD_WHOLE, Timeouts
from gateway.forwarding.pool import Pool
from gateway.forwarding.slow_clients import PLACE, Holding, places_for
from gateway.forwarding.upstream import Tries, Upstream

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class Exchange:
    """`open` gives the answer's head, `piece` its body; `close` and `leave` must follow whatever happens.

    The connection goes back as soon as the service has said all: a slow client is waited for without one. While the
    client has not sent or read what is too large to wait here, the exchange is one of those that may keep a connection.
    Without a client the request has this `body`. What is `keyed` may be sent twice like what is idempotent. One that
    goes `unheeded` is not tried again, and whether it fails says nothing.
    """

    __slots__ = (
        *("_body", "_client", "_due", "_failure", "_head", "_heeded", "_keeping", "_method", "_pool", "_repeatable"),
        *("_rest", "_timeouts", "_upstream", "connection"),
    )

    def __init__(
        self,
        upstream: Upstream,
        method: bytes,
        head: bytes,
        *,
        client: Client | None,
        timeouts: Timeouts,
        body: bytes = b"",
        keyed: bool = False,
        unheeded: bool = False,
    ) -> None:
        self._upstream = upstream
        self._method = method
        self._head = head
        self._client = client
        self._body = body
        self._timeouts = timeouts
        self._repeatable = keyed or method in IDEMPOTENT
        self._heeded = not unheeded
        self._due = inf
        self._pool: Pool | None = None
        self._failure: ForwardingFailure | None = None
        self._keeping: Holding | None = None
        self._rest = b""
        self.connection: Connection | None = None

    async def open(self) -> Answer:
        """Send the request and wait for the head of its answer.

        The time that the service has for it begins when the request is whole. Raises ForwardingFailure.
        """
        client, upstream = self._client, self._upstream
        if client is not None and not client.whole:
            await client.open()
            if not client.whole:
                self._keep(client)
        whole = client is None or client.whole
        if whole:
            self._due = monotonic() + self._timeouts.first_byte
        if not upstream.pools:
            await upstream.find()
        tries: Tries | None = None
        while True:
            pool = upstream.choose(self._pool)
            self._pool = pool
            try:
                fresh = tries is not None and tries.sent_again
                room = None if client is None else client.room
                connection = await pool.acquire(self._timeouts, self._due, fresh=fresh, room=room)
                self._send(connection, whole=whole)
                return await connection.answered()
            except ShuttingDown:
                raise
            except (ServiceUnreachable, ConnectionLost) as failure:
                self.close()
                if not self._heeded:
                    raise
                if isinstance(failure, ServiceUnreachable):
                    upstream.failed(pool)
                tries = tries or Tries(upstream, repeatable=whole and self._repeatable)
                await tries.again(failure, pool)

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

    async def whole(self, most: int) -> bytes | None:
        """Wait for the rest of the answer's body and give it all; None if it is more than `most` bytes, or was cut.

        Either way `piece` gives it, too.
        """
        while len(self._rest) <= most and (connection := self.connection) is not None:
            self._rest += await connection.chunk()
            if connection.complete:
                self._rest += connection.taken()
                self.close()
        return self.said if len(self._rest) <= most else None

    @property
    def said(self) -> bytes | None:
        """The answer's body, of which nothing was taken yet, if all of it is here."""
        return self._rest if self.connection is None and self._failure is None else None

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
        connection, pool = self.connection, self._pool
        if connection is not None and pool is not None:
            self.connection = None
            if self._heeded:
                self._upstream.release(pool, connection)
            else:
                pool.release(connection)

    def _send(self, connection: Connection, *, whole: bool) -> None:
        self.connection = connection
        connection.begin(self._method, self._timeouts)
        connection.owner = self
        client, head = self._client, self._head
        if whole:
            connection.due = self._due
            head += line_for(int(1000 * (self._due - connection.moved_at)))
        connection.request_sent = whole
        connection.write(b"%b\r\n%b" % (head, self._body if client is None else client.opening))
        if client is not None:
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
    unheeded: bool = False,
) -> Fetched:
    """Ask for `target` ("/path?query") of a service, with a `body` of JSON if any, and read the answer into memory.

    `headers` go along; `unheeded` is as in an Exchange. Raises ForwardingFailure, and OddRequest for a header
    that is none.
    """
    own = b"host: %b\r\naccept: application/json\r\n" % host.encode("ascii")
    if body:
        own += b"content-type: application/json\r\n"
    lines = [piece for name, value in headers or [] for piece in (name + b": ", value, b"\r\n")]
    head = write_head(method, target.encode("ascii"), RequestHead(lines, len(body), chunked=False), own)
    keyed = any(name == b"idempotency-key" for name, _ in headers or [])
    exchange = Exchange(
        upstream, method, head, client=None, body=body, timeouts=timeouts, keyed=keyed, unheeded=unheeded
    )
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
