"""What the door changes in every answer of the API, its own or a service's: a tag, 304 for it, and gzip."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gateway.edge import compression, tags
from gateway.edge.measures import COMPRESSED, UNCHANGED
from webapi.bounded_http import WHOLE
from webapi.versions import tags_in

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def shaping(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Give the connection whose answers are shaped for who asks.

    The server's own scope stays as it is: it leads to `send`, and what leads back to itself waits for the collector.
    """
    shaped = Shaped(scope, send)
    if shaped.sends_whole is not None:
        scope = {**scope, "extensions": {**scope["extensions"], WHOLE: shaped.whole}}
    return scope, shaped.send


class Shaped:
    """The answer of one request on its way to the client.

    A body that is at hand when its head is gets a tag. Who named tags waits until it is whole, if it is none too large.
    """

    __slots__ = ("_gzip", "_known", "_method", "_packer", "_send", "_start", "_waiting", "sends_whole")

    def __init__(self, scope: Scope, send: Send) -> None:
        codings, known = b"", []
        for name, value in scope["headers"]:
            if name == b"accept-encoding":
                codings = b"%b,%b" % (codings, value) if codings else value
            elif name == b"if-none-match":
                known.append(value)
        self._gzip = compression.accepted(codings) and scope["http_version"] != "1.0"
        self._known = b",".join(known)
        self._method: str = scope["method"]
        self._send = send
        self._start: Message | None = None
        self._waiting = b""
        self._packer: compression.Packer | None = None
        self.sends_whole: Callable[[int, Headers, bytes], bool] | None = scope.get("extensions", {}).get(WHOLE)

    def whole(self, status: int, headers: Headers, body: bytes) -> bool:
        """Send an answer by one call if that can be and takes no time; else say that it was not sent."""
        if self.sends_whole is None or (self._gzip and len(body) > compression.AT_ONCE):
            return False
        status, headers, body, packs = self._shape(status, headers, body)
        if packs:
            headers = compression.coded(headers)
            if self._method != "HEAD":
                body = compression.at_once(body)
                headers.append((b"content-length", b"%d" % len(body)))
        return self.sends_whole(status, headers, body)

    async def send(self, message: Message) -> None:
        """Be the `send` of the request; a head waits for its body."""
        if message["type"] == "http.response.start":
            self._start, self._waiting = message, b""  # what a first one waits for may never come
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if (start := self._start) is not None:
            body, self._waiting = self._waiting + body, b""
            if more and self._waits(start, len(body)):
                self._waiting = body
                return
            self._start = None
            body = await (self._begin(start, body) if more else self._all(start, body))
        elif self._packer is not None:
            body = await self._packer.piece(body, last=not more)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _waits(self, start: Message, size: int) -> bool:
        names = dict(start["headers"])
        return (
            bool(self._known)
            and size <= tags.LARGEST
            and int(names.get(b"content-length", b"0")) <= tags.LARGEST
            and tags.may_be_tagged(self._method, start["status"], names)
        )

    async def _all(self, start: Message, body: bytes) -> bytes:
        """Send the head of an answer whose body is all here, and give the body as it goes out."""
        status, headers, body, packs = self._shape(start["status"], list(start.get("headers", ())), body)
        if packs:
            headers = compression.coded(headers)
            if self._method != "HEAD":
                body = await compression.Packer().piece(body, last=True)
                headers.append((b"content-length", b"%d" % len(body)))
        await self._send({**start, "status": status, "headers": headers})
        return body

    async def _begin(self, start: Message, body: bytes) -> bytes:
        """Send the head of an answer whose body comes in pieces, and give the first of them as it goes out."""
        headers = list(start.get("headers", ()))
        names = dict(headers)
        length = int(names[b"content-length"]) if b"content-length" in names else None
        if compression.is_worth_it(start["status"], names, length):
            headers.append(compression.VARY)
            if self._gzip:
                COMPRESSED.inc()
                headers = compression.coded(headers)
                self._packer = compression.Packer()
                body = await self._packer.piece(body, last=False)
        await self._send({**start, "headers": headers})
        return body

    def _has(self, tag: str) -> bool:
        """Say whether who asks named this tag; most names are read no further than to see that it is not in them."""
        if not self._known or (tag.encode() not in self._known and b"*" not in self._known):
            return False
        named = tags_in([self._known.decode("latin-1")])
        return named is not None and named.has_weakly(tag)

    def _shape(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes, bool]:
        """Give status, headers and body as they go out, and whether the body has yet to be compressed."""
        names = dict(headers)
        size = len(body)
        if self._method == "HEAD":
            size = int(names.get(b"content-length", b"0"))
        packs = compression.is_worth_it(status, names, size)
        if packs:
            headers = [*headers, compression.VARY]
        if size <= tags.LARGEST and tags.may_be_tagged(self._method, status, names):
            tag = tags.tag_of(body)
            headers = [*headers, (b"etag", b"W/" + tag.encode())]
            if self._has(tag):
                UNCHANGED.inc()
                return 304, tags.unchanged(headers), b"", False
        packs = packs and self._gzip
        if packs:
            COMPRESSED.inc()
        return status, headers, body, packs
