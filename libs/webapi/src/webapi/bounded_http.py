"""uvicorn's HTTP/1.1 protocol with the bounds that it leaves to a proxy in front: every server here speaks it."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from webapi.deadlines import LEAVING
from webapi.languages import language_of
from webapi.problems import (
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    TARGET_TOO_LONG,
    VERSION_NOT_SUPPORTED,
    Problem,
    Refusal,
    problem_response,
)

WHOLE: Final = "xiangqiao.whole"
"""In a scope's `extensions`: sends an answer's status, headers and body at once, or says that it did not."""
BEGUN: Final = "xiangqiao.begun"
"""In a scope's `extensions`: says whether any of the answer was sent, however far the application believes it is."""
CLOSING: Final = (b"connection", b"close")
"""Among the headers that every answer bears: this is the last one on its connection."""
SERVED: Final = frozenset(("1.0", "1.1"))
_SMALLEST_CHUNK: Final = 6
"""Bytes on the wire of a chunk of one byte: no body takes more for each of its own, but by what nobody reads."""
_AROUND_A_HEAD: Final = 64
"""More than the bytes around a target and headers: method, version, blank line, and the chunk that ends a body."""
_AROUND_A_HEADER: Final = 4
_PIECE: Final = 4 * 1024
"""Bytes that are parsed at once: up to so many more than the bound may come with the end of a message."""
_OF_VERSIONS: Final = ("version", "PRI")
"""What the parser says of a version that it does not know."""


class _Refused(Exception):
    """Raised in a callback of the parser, so that nothing of the request reaches the application."""


class BoundedProtocol(HttpToolsProtocol):
    """Give it to uvicorn as `http=BoundedProtocol`.

    Adds: only HTTP/1.0 and 1.1 are served; a head is bounded in bytes and lines, and so is what comes with a body and
    is none (chunk extensions, zeros before a size, trailers); trailers do not become headers (uvicorn appends them to
    the list it gave to the application); a target is a path; what cannot be read is answered with a problem; who serves
    a request hears at once that its client left (`LEAVING`), not only when it asks for more of the body.
    """

    longest_target = 16 * 1024
    largest_head = 64 * 1024
    most_headers = 200
    """Twice what the door takes, which adds headers of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_is_open = self._body_is_open = self._is_over = False
        self._head_bytes = self._other_bytes = 0
        self._problem: Problem = BAD_REQUEST
        self._on_leaving: Callable[[], None] | None = None
        self._extensions: dict[str, Any] = {
            WHOLE: self._answer_whole,
            LEAVING: self._tell_leaving,
            BEGUN: self._has_begun,
        }

    def _tell_leaving(self, told: Callable[[], None] | None) -> None:
        self._on_leaving = told

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who serves a request."""
        super().connection_lost(exc)
        if self._on_leaving is not None:
            self._on_leaving()

    def data_received(self, data: bytes) -> None:
        """Parse, and bound what comes with a message and is nothing of it, of which the parser does not tell."""
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            if self._is_over:
                self._other_bytes, self._is_over = 0, False
            self._other_bytes += len(piece)
            super().data_received(piece)
            self._other_bytes = max(0, self._other_bytes)
            if self.transport.is_closing():
                return
            if self._other_bytes > self.largest_head and not self._is_over:
                self._problem = HEADERS_TOO_LARGE
                self.send_400_response("")
                return

    def on_message_begin(self) -> None:
        """Begin to count, and let the application answer at once."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions
        self._head_is_open, self._body_is_open, self._is_over = True, False, False
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Bound the target."""
        super().on_url(url)
        self._other_bytes -= len(url)
        if len(self.url) > self.longest_target:
            self._refuse(TARGET_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the headers; drop trailers."""
        if not self._head_is_open:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self.largest_head or len(self.headers) >= self.most_headers:
            self._refuse(HEADERS_TOO_LARGE)
        self._other_bytes -= len(name) + len(value) + _AROUND_A_HEADER
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let a bounded head of a version that is served, with a path as its target, through to the application."""
        self._head_is_open = False
        self._other_bytes -= _AROUND_A_HEAD
        if self.parser.get_http_version() not in SERVED:
            self._refuse(VERSION_NOT_SUPPORTED)
        if not self.url.startswith(b"/"):
            self._refuse(BAD_REQUEST)
        super().on_headers_complete()
        self._body_is_open = True

    def on_body(self, body: bytes) -> None:
        """Count what is one."""
        self._other_bytes -= _SMALLEST_CHUNK * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End to count."""
        self._body_is_open, self._is_over = False, True
        super().on_message_complete()

    def _has_begun(self) -> bool:
        return bool(self.pipeline) or self.cycle.response_started

    def _answer_whole(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
        """Send an answer by one system call; `headers` tell the length of its body.

        uvicorn would look at each header and write head and body apart: a tenth of what a command costs, and of what
        forwarding does. Gives False where it has to: for a client that left, reads slowly, wants its connection closed
        or has sent its next request, and for a header that is none, which it refuses.
        """
        cycle: RequestResponseCycle = self.cycle
        if self.pipeline or cycle.disconnected or not cycle.keep_alive or self.flow.write_paused:
            return False
        if CLOSING in cycle.default_headers:
            return False
        lines = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            lines += (name, b": ", value, b"\r\n")
        told = b"".join(lines[1::4] + lines[3::4])
        if b"\n" in told or b"\r" in told:
            return False
        self.transport.write(b"".join((*lines, b"\r\n", body)))
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.on_response()
        return True

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are for its own log
        """Answer what cannot be read with a problem, if it is its turn; the connection ends either way."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:  # requests before this one are whole: they get their answers, then it ends
                cycle.keep_alive = False
                self.flow.pause_reading()
                return
            if cycle.response_started or self.pipeline:
                self.transport.abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        elif self._body_is_open:  # the answer is there already, and what follows it is the same request's
            self.transport.abort()
            return
        error = sys.exception()
        if isinstance(error, HttpParserError) and any(word in str(error) for word in _OF_VERSIONS):
            self._problem = VERSION_NOT_SUPPORTED
        refusal = Refusal(self._problem, headers={"connection": "close"})
        response = problem_response(refusal, language_of(getattr(self, "headers", None) or []))
        lines = [STATUS_LINE[refusal.problem.status]]
        for name, value in [*self.server_state.default_headers, *response.raw_headers]:
            lines += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*lines, b"\r\n", bytes(response.body))))
        self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        self._problem = problem
        raise _Refused
