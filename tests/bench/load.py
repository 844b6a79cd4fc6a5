"""A load from this process: so many keep-alive connections, each sending its next request when the last is answered."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import cast

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class UnexpectedAnswer(Exception):
    """An answer was not of the status that the measurement needs."""


class _Connection(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends again."""

    def __init__(self, next_request: Callable[[], bytes | None], done: asyncio.Future[None]) -> None:
        self._next_request = next_request
        self._done = done
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < end + len(_HEAD_END) + length:
            return
        if head[9:10] != b"2":
            self._fail(self._buffer[: end + len(_HEAD_END) + length])
            return
        self._buffer = b""
        self.answered += 1
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server closed a connection"))

    def _send(self) -> None:
        request = self._next_request()
        if self._transport is None or self._done.done():
            return
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)

    def _fail(self, answer: bytes) -> None:
        if not self._done.done():
            self._done.set_exception(UnexpectedAnswer(answer[:600].decode("latin-1")))


async def answered_per_second(
    port: int, make_request: Callable[[int], bytes | None], *, connections: int = 32, seconds: float = 4.0
) -> float:
    """Send requests numbered 0, 1, 2 … for `seconds` and give the answers a second; all must be 2xx.

    A connection ends sooner where there is no request of the next number.
    """
    loop = asyncio.get_running_loop()
    stop_at, number = time.perf_counter() + seconds, 0

    def next_request() -> bytes | None:
        nonlocal number
        if time.perf_counter() >= stop_at:
            return None
        number += 1
        return make_request(number - 1)

    began = time.perf_counter()
    waiting = [loop.create_future() for _ in range(connections)]
    made = [
        (await loop.create_connection(partial(_Connection, next_request, done), "127.0.0.1", port))[1]
        for done in waiting
    ]
    await asyncio.gather(*waiting)
    return sum(connection.answered for connection in made) / (time.perf_counter() - began)


def http_request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Write one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(lines).encode() + _HEAD_END + body
