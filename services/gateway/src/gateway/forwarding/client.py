"""The client's side of one exchange: its body as it comes, and whether it is still there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.forwarding.connection import Connection
from gateway.forwarding.failures import BodyMisframed, BodyTooLarge, ClientGone, ClientSlow, ForwardingFailure
from gateway.forwarding.headers import RequestHead

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("gateway.forwarding")


class Client:
    """Reads a request's body from ASGI, frames it as its head announced, and notices when the client leaves.

    A body that came whole with the first message is kept in `opening`, so that it can be sent twice.
    """

    __slots__ = ("_connection", "_head", "_max_body", "_receive", "_seen", "_task", "opening", "whole")

    def __init__(self, receive: Receive, head: RequestHead, *, max_body: int) -> None:
        self._receive = receive
        self._head = head
        self._max_body = max_body
        self._seen = 0
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self.opening = b""
        self.whole = not head.has_body
        if head.length is not None and head.length > max_body:
            raise BodyTooLarge("announced")

    async def open(self, seconds: float) -> None:
        """Wait for the first piece of an announced body; afterwards `opening` holds it as it goes over the wire."""
        if self.whole:
            return
        try:
            async with asyncio.timeout(seconds):
                self.opening = await self._piece()
        except TimeoutError as error:
            raise ClientSlow("body") from error

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
                connection.write(data)
                connection.request_sent = self.whole
            while (await self._receive())["type"] != "http.disconnect":
                pass
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
        """Give the next piece of the body as it goes over the wire; sets `whole` with the last one."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientGone
        data: bytes = message.get("body", b"")
        self.whole = not message.get("more_body", False)
        self._seen += len(data)
        if self._seen > self._max_body:
            raise BodyTooLarge("sent")
        if self._head.chunked:
            piece = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            return piece + b"0\r\n\r\n" if self.whole else piece
        length = self._head.length or 0
        if self._seen > length or (self.whole and self._seen != length):
            raise BodyMisframed
        return data
