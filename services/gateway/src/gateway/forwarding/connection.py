"""One HTTP/1.1 connection to a service: writes requests, parses answers, holds both sides' speed together."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from gateway.forwarding.failures import (
    AnswerBroken,
    ConnectionLost,
    ConnectionStale,
    ForwardingFailure,
    ServiceSlow,
)
from gateway.forwarding.headers import Answer, read_answer
from gateway.forwarding.limits import Limits, Timeouts

INTERIM_ANSWERS = 8  # "100 Continue" and its kind before the real one


class Owner(Protocol):
    """Whose exchange it is: decides what becomes of an answer that its client reads more slowly than it comes."""

    def may_hold(self, size: int) -> bool:
        """Say whether so many bytes of the answer may wait here, beyond what is buffered for everybody."""

    def stuck(self) -> None:
        """Hear that the connection has been waiting for the client to read on."""

    def over(self) -> None:
        """Hear that the answer is complete, or the exchange has failed, while nobody waits for more of it."""


class Connection(asyncio.Protocol):
    """A connection that serves one exchange at a time: `begin`, `write`, `answered`, `chunk` until b"", then release.

    Every wait ends with the answer or with the `ForwardingFailure` that `fail` recorded. `lost` is called once, when
    the transport is gone.
    """

    def __init__(self, limits: Limits, lost: "Callable[[Connection], None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._lost = lost
        self._parser: httptools.HttpResponseParser = httptools.HttpResponseParser(self)
        self._parser_is_spent = False
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._changed: asyncio.Future[None] | None = None
        self._may_write = True
        self.opened_at = self._loop.time()
        self.exchanges = 0
        self.in_exchange = False
        self._reset(b"", Timeouts())

    def _reset(self, method: bytes, timeouts: Timeouts) -> None:
        self._method = method
        self.timeouts = timeouts
        self.due: float | None = None
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._interim = 0
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._reading = True
        self._keep_alive = False
        self.answer: Answer | None = None
        self.complete = False
        self.failure: ForwardingFailure | None = None
        self.request_sent = False
        self.awaits_client = False
        self._for_client = 0.0
        self.on_slow: Callable[[], None] | None = None
        self.owner: Owner | None = None
        self.started_at = self.moved_at = self._checked_at = self._loop.time()

    # What an exchange does

    @property
    def alive(self) -> bool:
        """Whether bytes can still be written, as far as this side knows."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def reusable(self) -> bool:
        """Whether the exchange ended so cleanly that the next one cannot see anything of it."""
        return self.complete and self.request_sent and self._keep_alive and self.failure is None and self.alive

    def begin(self, method: bytes, timeouts: Timeouts) -> None:
        """Start an exchange; the parser of the last one is kept unless that left it inside a message.

        By `due`, a time of the loop, its answer must begin; None until that is known.
        """
        self._reset(method, timeouts)
        self.exchanges += 1
        self.in_exchange = True
        if self._parser_is_spent:
            self._parser = httptools.HttpResponseParser(self)
            self._parser_is_spent = False

    def end(self) -> None:
        """Leave the exchange; from now on any byte of the service is an error."""
        self.in_exchange = False
        self.on_slow = self.owner = None
        self.moved_at = self._loop.time()

    def write(self, data: bytes) -> None:
        """Hand `data` to the transport; follow a large or repeated write with `drain`."""
        self.moved_at = self._loop.time()
        if self._transport is not None:
            self._transport.write(data)

    def expect_answer(self) -> None:
        """Let the time for the answer begin, if it has not yet: the request is sent."""
        if self.due is None:
            self.due = self._loop.time() + self.timeouts.first_byte

    async def drain(self) -> None:
        """Wait while the service reads more slowly than the client sends."""
        while not self._may_write and self.failure is None:
            self._writable = self._loop.create_future()
            try:
                await self._writable
            finally:
                self._writable = None
        if self.failure is not None:
            raise self.failure

    async def answered(self) -> Answer:
        """Wait for the head of the final answer."""
        while True:
            if self.failure is not None:
                raise self.failure
            if self.answer is not None:
                return self.answer
            await self._change()

    async def chunk(self) -> bytes:
        """Wait for more of the answer's body; b"" is its end."""
        while not self._chunks:
            if self.complete:
                return b""
            if self.failure is not None:
                raise self.failure
            await self._change()
        return self.taken()

    def taken(self) -> bytes:
        """Take what has come of the body and let the service send on."""
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        self._buffered = 0
        self.moved_at = self._loop.time()
        if not self._reading and self._transport is not None and self.alive:
            self._reading = True
            self._transport.resume_reading()
        return data

    def fail(self, failure: ForwardingFailure) -> None:
        """Record why the exchange is over, wake who waits, and drop the connection."""
        if self.failure is None and not (self.complete and self.request_sent):
            self.failure = failure
        self.abort()
        self._wake()

    def abort(self) -> None:
        """Drop the connection without sending what is buffered."""
        if self._transport is not None:
            self._transport.abort()

    def check_times(self, now: float) -> None:
        """Fail the exchange when a time that its service has is up; tell once when it is no longer a quick one."""
        times = self.timeouts
        still = now - self.moved_at
        waits_for_client = self.awaits_client or bool(self._chunks)
        if waits_for_client:
            self._for_client += now - self._checked_at
        self._checked_at = now
        if times.total is not None and now - self.started_at - self._for_client > times.total:
            self.fail(ServiceSlow("total"))
        elif waits_for_client:
            if not self._reading and still > self._limits.stuck_seconds and self.owner is not None:
                self.owner.stuck()
        elif self.answer is None and self.due is not None:
            if now > self.due:
                self.fail(ServiceSlow("deadline"))
        elif not self.complete and still > times.idle:
            self.fail(ServiceSlow("next byte"))
        if self.on_slow is not None and now - self.started_at > times.watch_after:
            on_slow, self.on_slow = self.on_slow, None
            on_slow()

    async def _change(self) -> None:
        self._changed = self._loop.create_future()
        try:
            await self._changed
        finally:
            self._changed = None

    def _wake(self) -> None:
        if self._changed is not None:
            if not self._changed.done():
                self._changed.set_result(None)
        elif self.owner is not None and (self.complete or self.failure is not None):
            self._loop.call_soon(self.owner.over)
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._limits.buffer_bytes)

    def pause_writing(self) -> None:  # noqa: D102
        self._may_write = False

    def resume_writing(self) -> None:  # noqa: D102
        self._may_write = True
        self.moved_at = self._loop.time()
        self._wake()

    def data_received(self, data: bytes) -> None:  # noqa: D102
        if not self.in_exchange or self.complete:
            self._keep_alive = False
            self.abort()  # nobody asked: what follows an answer could be taken for the next one's
            return
        self.moved_at = self._loop.time()
        if self.answer is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._break("switched protocols")
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._break(str(cause) if isinstance(cause, AnswerBroken) else str(error))
        else:
            if self.answer is None and self._head_bytes > self._limits.head_bytes:
                self._break("head too large")
        if self._buffered > self._limits.buffer_bytes and self._reading and self._transport is not None:
            self._reading = self.owner is not None and self.owner.may_hold(self._buffered)
            if not self._reading:
                self._transport.pause_reading()
        self._wake()

    def _break(self, why: str) -> None:
        self._keep_alive = False
        if not self.complete:
            self.fail(AnswerBroken(why))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self._transport = None
        if self.in_exchange and not self.complete and self.failure is None:
            answer = self.answer
            if answer is not None and answer.until_close and exc is None:
                self._complete()
            elif self._head_bytes == 0:
                self.failure = (ConnectionStale if self.exchanges > 1 else ConnectionLost)("closed before it answered")
            else:
                self.failure = AnswerBroken("closed too early")
        self._may_write = True
        self._wake()
        self._parser_is_spent = True
        self._lost(self)

    # httptools.HttpResponseParser; what is raised here comes out of feed_data as the context of a parser error

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; trailers are read and dropped."""
        if self.answer is None:
            self._raw_headers.append((name, value))
            if len(self._raw_headers) > self._limits.header_count:
                raise AnswerBroken("too many headers")
        else:
            self._head_bytes += len(name) + len(value)
            if self._head_bytes > self._limits.head_bytes:
                raise AnswerBroken("trailers too large")

    def on_headers_complete(self) -> None:
        """Take the head of the final answer; interim ones are dropped."""
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._interim += 1
            if self._interim > INTERIM_ANSWERS:
                raise AnswerBroken("too many interim answers")
            self._raw_headers = []
            return
        if self.answer is not None:
            raise AnswerBroken("a second answer")
        answer = read_answer(self._method, status, self._raw_headers)
        if answer.bytes_in_head > self._limits.head_bytes:
            raise AnswerBroken("head too large")
        self.answer = answer
        if answer.without_body:
            self._parser_is_spent = True  # httptools cannot be told that the answer to HEAD has no body
            self._complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body until it is taken."""
        if self.complete:
            raise AnswerBroken("a body after the end")
        self._chunks.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        """Note the end of the final answer."""
        if self.answer is not None and not self.complete:
            self._complete()

    def _complete(self) -> None:
        self.complete = True
        self._keep_alive = self._parser.should_keep_alive()
