"""nats-py's client with a shorter way for what is done a million times: batches out, pulled messages in, and acks.

A message of an ordinary subscription is matched by a regular expression, has its headers read, becomes an object and
crosses a queue and a task: some 15 µs. Here the pieces of a pulled message go straight to a callback. Whatever else
comes, and whatever these few lines do not recognise, takes nats-py's own way.
"""

from collections.abc import Callable, Iterable

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, OutboundBufferLimitError
from nats.protocol.parser import AWAITING_CONTROL_LINE, Parser

DirectCallback = Callable[[bytes, bytes, bytes, bytes], None]
"""Takes subject, reply, header block and payload of one message; must not raise."""

_LINE_END = b"\r\n"
_AROUND_HEADERS = len("NATS/1.0\r\n\r\n")


class _DirectParser(Parser):
    """Hands complete messages with headers at the front of the buffer to their callbacks; the rest as before."""

    def __init__(self, client: "DirectClient") -> None:
        super().__init__(client)
        self._callbacks = client.callbacks

    async def parse(self, data: bytes = b"") -> None:
        """Take in what was read from the server."""
        if self._callbacks and self.state == AWAITING_CONTROL_LINE:
            if self.buf:
                data = bytes(self.buf) + data
            taken, wait_for_more = self._take(data)
            self.buf = bytearray()
            data = data[taken:]
            if wait_for_more:
                self.buf = bytearray(data)
                return
            if not data:
                return
        await super().parse(data)

    def _take(self, data: bytes) -> tuple[int, bool]:
        """Deliver what is complete; gives how many bytes that was, and whether the next message needs more."""
        position = 0
        while data.startswith(b"HMSG ", position):
            line_end = data.find(_LINE_END, position)
            if line_end < 0:
                return position, True
            fields = data[position + 5 : line_end].split()
            callback = self._callbacks.get(fields[1])
            if callback is None or len(fields) not in {4, 5}:
                return position, False
            body = line_end + 2
            end = body + int(fields[-1])
            if len(data) < end + 2:
                return position, True
            headers_end = body + int(fields[-2])
            reply = fields[2] if len(fields) == 5 else b""
            callback(fields[0], reply, data[body:headers_end], data[headers_end:end])
            position = end + 2
        return position, False


class DirectClient(Client):
    """A client that can also subscribe directly and write many messages in one piece."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: dict[bytes, DirectCallback] = {}
        self._ps = _DirectParser(self)

    async def subscribe_directly(self, subject: str, callback: DirectCallback) -> Subscription:
        """Subscribe with a callback that is called as bytes arrive; end it with `unsubscribe_directly`."""
        subscription = await self.subscribe(subject)
        self.callbacks[str(subscription._id).encode()] = callback  # noqa: SLF001 - the number that messages come with
        return subscription

    async def unsubscribe_directly(self, subscription: Subscription) -> None:
        """End a direct subscription; nothing is delivered any more, whether the server hears of it or not."""
        self.callbacks.pop(str(subscription._id).encode(), None)  # noqa: SLF001 - as above
        if not self.is_closed:
            await subscription.unsubscribe()

    async def write(self, messages: Iterable[bytes]) -> None:
        """Send messages made by `message_without_reply` or `empty_message`, as one piece.

        Raises `nats.errors.Error` when the server is away.
        """
        if self.is_closed:
            raise ConnectionClosedError
        if not self.is_connected:
            raise OutboundBufferLimitError
        await self._send_command(b"".join(messages))
        await self._flush_pending()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        """Deliver a message that took nats-py's way, e.g. one without headers, to its direct callback all the same."""
        callback = self.callbacks.get(str(sid).encode()) if self.callbacks else None
        if callback is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            callback(bytes(subject), bytes(reply), headers or b"", data)


def empty_message(subject: bytes) -> bytes:
    """Give what publishes an empty message, e.g. an acknowledgement."""
    return b"PUB %b 0\r\n\r\n" % subject


def message_without_reply(subject: str, header_lines: str, payload: bytes) -> bytes:
    """Give what publishes a message; `header_lines` are ASCII, each with its line end, and the subject has none."""
    size = len(header_lines) + _AROUND_HEADERS
    front = f"HPUB {subject} {size} {size + len(payload)}\r\nNATS/1.0\r\n{header_lines}\r\n"
    return b"".join((front.encode(), payload, _LINE_END))


def read_headers(block: bytes) -> dict[str, str]:
    """Read a header block; a status line such as `NATS/1.0 408 Request Timeout` gives `Status` and `Description`."""
    lines = block.decode("utf-8", "replace").replace("\0", "?").split("\r\n")
    headers: dict[str, str] = {}
    _, _, status_line = lines[0].partition(" ")
    if status_line:
        status, _, description = status_line.partition(" ")
        headers |= {"Status": status, "Description": description}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    return headers
