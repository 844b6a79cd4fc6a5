"""A client's connection: the bounds of every server, and times for who sends or reads slowly."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.forwarding.crowd import Crowd
from gateway.forwarding.limits import LARGEST_HEAD, LONGEST_TARGET, MOST_HEADERS
from gateway.forwarding.refusals import CLIENT_SLOW
from gateway.forwarding.slow_clients import Patience
from webapi.bounded_http import BoundedProtocol
from webapi.networks import around_of, network_of

HEAD_SECONDS: Final = 10.0
STREAM: Final = "xiangqiao.stream"
"""In a scope's `extensions`: makes the answer a stream, which is bounded, told of the end, and written to at once."""
_BYTES_ACKED: Final = slice(120, 128)  # tcpi_bytes_acked in struct tcp_info (linux/tcp.h), a u64


log = logging.getLogger("gateway.forwarding")


class EdgeProtocol(BoundedProtocol):
    """Give it to uvicorn as `http=edge(patience, crowd)`.

    Adds to the bounds of every server: a head is bounded in time while it arrives; a client that reads below the least
    rate is cut off, also after its answer: uvicorn waits for ever. Connections are as many as the process has room for.
    """

    patience = Patience()
    crowd: Crowd
    longest_target, largest_head, most_headers = LONGEST_TARGET, LARGEST_HEAD, MOST_HEADERS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._extensions[STREAM] = self._be_stream
        self._leave: Callable[[], None] | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._read_before: int | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the time in which a first request must have arrived."""
        super().connection_made(transport)  # type: ignore[arg-type] # as asyncio declares it
        address = self.client[0] if self.client else ""
        self._address = around_of(address) or network_of(address)
        self.crowd.come(self.transport, self._address)
        self._expect_head()
        self._look_at_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the times."""
        self._stop_timer()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
        self.crowd.go(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and start the time of a head that is not whole yet."""
        super().data_received(data)
        if self._head_is_open and self._head_timer is None and not self.transport.is_closing():
            self._expect_head()

    def on_headers_complete(self) -> None:
        """Stop the time; from now on the connection is served."""
        self._stop_timer()
        self.crowd.serve(self.transport)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is there."""
        if not self.pipeline and not self.transport.is_closing():
            self.crowd.wait(self.transport, self._address)
        super().on_response_complete()

    def _be_stream(self, most_waiting: int | None, leave: Callable[[], None] | None) -> Callable[[bytes], bool]:
        """Hold an endless answer to so many bytes, and call `leave` when the server is to end; None as for others.

        Gives what writes a piece of it by one system call, or says that it did not, for its reader is slow or left: a
        task that wakes for each piece and sends it through all layers costs four times as much.
        """
        if not self.transport.is_closing():  # whoever has left holds nothing any more
            self.transport.set_write_buffer_limits(high=most_waiting)
        self._leave = leave
        cycle: RequestResponseCycle = self.cycle

        def write(piece: bytes) -> bool:
            if cycle.disconnected or cycle.response_complete or self.flow.write_paused or not cycle.chunked_encoding:
                return False
            self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            return True

        return write

    def shutdown(self) -> None:
        """Let what is under way end, and end what has no end of its own."""
        super().shutdown()
        if self._leave is not None:
            self._leave()

    def send_400_response(self, msg: str) -> None:
        """Stop the time, and answer."""
        self._stop_timer()
        super().send_400_response(msg)

    def _look_at_reader(self) -> None:
        """Cut off a client for which answers have waited a whole span, if it took less of them than the least rate.

        Had it taken all that the kernel held when it was last looked at, that alone would be more.
        """
        before, self._read_before = self._read_before, None
        if self.transport.get_write_buffer_size():
            told: socket.socket = self.transport.get_extra_info("socket")
            info = told.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED.stop)
            self._read_before = read = int.from_bytes(info[_BYTES_ACKED], sys.byteorder)
            if before is not None and read - before < self.patience.rate * self.patience.span:
                log.warning("slow_reader_cut")
                self.transport.abort()
                return
        self._reader_timer = self.loop.call_later(self.patience.span, self._look_at_reader)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._head_is_open:
            self._problem = CLIENT_SLOW
            self.send_400_response("")
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def edge(patience: Patience, crowd: Crowd) -> type[EdgeProtocol]:
    """Give the protocol with this patience for slow readers, whose connections are of this crowd."""
    return type("EdgeProtocol", (EdgeProtocol,), {"patience": patience, "crowd": crowd})
