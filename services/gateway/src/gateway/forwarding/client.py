"""The client's side of one exchange: its body as it comes, and whether it is still there."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import BodyMisframed, BodyTooLarge, ClientGone, ClientSlow, ForwardingFailure
from gateway.forwarding.headers import RequestHead
from gateway.forwarding.limits import HELD_WHOLE
from gateway.forwarding.slow_clients import PLACE, Holding, Pace, Patience, places_for

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("gateway.forwarding")


class Client:
    """Reads a request's body from ASGI, frames it as its head announced, and notices when the client leaves.

    A body of at most `HELD_WHOLE` is waited for until it is whole, and kept in `opening`, so that it can be sent twice;
    of a larger one `opening` is the beginning.
    """

    __slots__ = (
        *("_connection", "_head", "_max_body", "_pace", "_patience", "_receive", "_seen", "_task"),
        *("followers", "opening", "room", "whole"),
    )

    def __init__(
        self, receive: Receive, head: RequestHead, *, max_body: int, patience: Patience, room: Holding
    ) -> None:
        self._receive = receive
        self._head = head
        self._max_body = max_body
        self._patience = patience
        self._pace: Pace | None = None
        self._seen = 0
        self.room = room
        self.followers: Sequence[object] = ()
        """Who waits for the same answer: while there are any, the exchange goes on without this client."""
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self.opening = b""
        self.whole = not head.has_body
        if head.length is not None and head.length > max_body:
            raise BodyTooLarge("announced")

    async def open(self) -> None:
        """Wait for what `opening` is to hold, as it goes over the wire; raises ClientSlow or Crowded."""
        pieces: list[bytes] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience.quick):
                while not self.whole and self._seen < PLACE:
                    pieces.append(self._data_of(await self._receive()))
        length = self._head.length
        enough = HELD_WHOLE if length is None or length <= HELD_WHOLE else 1
        while not self.whole and self._seen < enough:
            self.room.hold(places_for(max(self._seen, min(length or 1, enough))))
            pieces.append(await self._piece())
        self.opening = self._framed(b"".join(pieces))

    def attend(self, connection: Connection) -> None:
        """Bind the exchange's connection; send the rest of the body to it, or watch for the client's leaving."""
        self._connection = connection
        if self.whole:
            connection.on_slow = self._start
        else:
            self._start()

    def leave(self) -> None:
        """Let go of the connection and stop reading from the client."""
        self._connection = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._follow())
            self._task.add_done_callback(self._followed)

    async def _follow(self) -> None:
        try:
            while not self.whole and (connection := self._connection) is not None:
                await connection.drain()
                connection.awaits_client = True
                data = await self._piece()
                connection.awaits_client = False
                connection.write(self._framed(data))
                connection.request_sent = self.whole
            if self._connection is not None:
                self._connection.expect_answer()
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if not self.followers:
                raise ClientGone
        except ForwardingFailure as failure:
            if self._connection is not None:
                self._connection.fail(failure)

    def _followed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("client_side_failed", exc_info=error)
            if self._connection is not None:
                self._connection.fail(ClientGone())

    async def _piece(self) -> bytes:
        """Wait for the next piece of the body; raises ClientSlow once they come below the least rate."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        pace = self._pace = self._pace or Pace(self._patience)
        try:
            async with asyncio.timeout(pace.left):
                data = self._data_of(await self._receive())
        except TimeoutError as error:
            raise ClientSlow("body") from error
        pace.came(len(data), loop.time() - began)
        return data

    def _data_of(self, message: Message) -> bytes:
        """Give the piece of the body in a message; sets `whole` with the last one."""
        if message["type"] != "http.request":
            raise ClientGone
        data: bytes = message.get("body", b"")
        self.whole = not message.get("more_body", False)
        self._seen += len(data)
        if self._seen > self._max_body:
            raise BodyTooLarge("sent")
        length = self._head.length
        if length is not None and (self._seen > length or (self.whole and self._seen != length)):
            raise BodyMisframed
        return data

    def _framed(self, data: bytes) -> bytes:
        """Frame a piece of the body as the head announced it."""
        if not self._head.chunked:
            return data
        piece = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        return piece + b"0\r\n\r\n" if self.whole else piece
