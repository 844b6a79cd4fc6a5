"""Bodies that come as gzip: opened in bounded steps, so that services read them plain and each limit counts them so."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from gateway.forwarding.failures import BodyNotGzip, BodyTooDense
from gateway.forwarding.refusals import coding_not_supported
from gateway.forwarding.slow_clients import PLACE

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MOST_RATIO: Final = 100
"""Bytes that one byte may become, in a body of more than a step: what people write becomes 10, a bomb 1,000."""
_STEP: Final = PLACE
_WITHOUT_BODY: Final = frozenset(("GET", "HEAD"))
_GZIP: Final = frozenset(((b"gzip",), (b"x-gzip",)))
_FORMAT: Final = zlib.MAX_WBITS + 16


def inflated(scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    """Give the request as if its body came plain, in chunks. Raises the 415 problem for any coding but gzip, once."""
    if scope["method"] in _WITHOUT_BODY:
        return scope, receive
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    lines = [value for name, value in headers if name == b"content-encoding"]
    if not lines:
        return scope, receive
    codings = tuple(each.strip() for each in b",".join(lines).lower().split(b","))
    if codings not in _GZIP or scope["http_version"] == "1.0":
        raise coding_not_supported()
    kept = [header for header in headers if header[0] != b"content-encoding"]
    framed = [name for name, _ in kept if name in {b"content-length", b"transfer-encoding"}]
    if framed == [b"content-length"]:  # any other framing stays, to be read or refused as ever
        kept = [header for header in kept if header[0] != b"content-length"]
        kept.append((b"transfer-encoding", b"chunked"))
    return {**scope, "headers": kept}, _Inflated(receive).receive


class _Inflated:
    """The body of one request, which may be of several members (RFC 1952, 2.2); whatever follows them is none."""

    __slots__ = ("_given", "_inflater", "_input", "_more", "_pending", "_receive", "_taken")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._inflater = zlib.decompressobj(_FORMAT)
        self._input = b""
        self._pending = False
        self._more = True
        self._taken = self._given = 0

    async def receive(self) -> Message:
        """Be the `receive` of the request. Raises BodyNotGzip and BodyTooDense."""
        while self._pending or self._more:
            if self._pending:
                await asyncio.sleep(0)
            else:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._input, self._more = message.get("body", b""), message.get("more_body", False)
                self._taken += len(self._input)
            data = self._step()
            goes_on = self._pending or self._more
            if data or not goes_on:
                return {"type": "http.request", "body": data, "more_body": goes_on}
        return await self._receive()

    def _step(self) -> bytes:
        """Inflate what is here, a step at most."""
        if self._inflater.eof and self._input:
            self._inflater = zlib.decompressobj(_FORMAT)
        try:
            data = self._inflater.decompress(self._input, _STEP)
        except zlib.error as error:
            raise BodyNotGzip from error
        self._input = self._inflater.unconsumed_tail or self._inflater.unused_data
        self._pending = bool(self._input) or len(data) == _STEP
        self._given += len(data)
        if self._given > max(_STEP, MOST_RATIO * self._taken):
            raise BodyTooDense
        if not self._pending and not self._more and self._taken and not self._inflater.eof:
            raise BodyNotGzip
        return data
