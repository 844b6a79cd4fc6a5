"""Pulling a durable consumer: requests ahead, in order without a gap, and a way back to what is acknowledged.

After a crash or a cut, JetStream would deliver new messages first and the unacknowledged ones a minute later, which
breaks the order within an aggregate. So whenever anything is in doubt the consumer is reset to its acknowledged floor
and everything above comes again, in order; the inbox drops what was committed. Source:
https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-60.md (reset), ADR-13 (pull requests).
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from messaging import streams
from messaging.connection import NatsConnection
from messaging.positions import START, Position
from messaging.received import Arrival, Delivery, Reader
from messaging.wire import empty_message, read_headers

logger = logging.getLogger(__name__)

EXPIRES_SECONDS = 30
HEARTBEAT_SECONDS = 5
SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS
GATHER_SECONDS = 0.02
_NANOSECONDS = 1_000_000_000
_REQUEST = orjson.dumps(
    {
        "batch": streams.BATCH_SIZE,
        "expires": EXPIRES_SECONDS * _NANOSECONDS,
        "idle_heartbeat": HEARTBEAT_SECONDS * _NANOSECONDS,
    }
)
_V1_TOKENS = 9  # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>


class Interrupted(Exception):
    """What is under way cannot be trusted to be complete and in order; begin again from the acknowledged floor."""

    @property
    def code(self) -> str:
        """The reason as one word, as a log line may carry it, e.g. `409_consumer_deleted`."""
        return str(self).strip().lower().replace(" ", "_")


class Puller:
    """Messages of one durable consumer, read on arrival and handed out in order. Not for use by two tasks at once."""

    def __init__(
        self, nats_connection: NatsConnection, reader: Reader, *, stream: str, durable: str, subjects: list[str]
    ):
        self._nats = nats_connection
        self._reader = reader
        self._stream = stream
        self._durable = durable
        self._subjects = subjects
        self._client = nats_connection.client
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._arrivals: deque[Arrival] = deque()
        self._arrived = asyncio.Event()
        self._wanted = 1
        self._generation = 0
        self._owed = 0
        self._next_delivery = 1
        self._heard_at = 0.0
        self._interruption: str | None = None
        self.lag = 0
        self.position = START

    async def begin(self, reached: Position | None = None) -> None:
        """Make the durable consumer if need be, and take up everything above its acknowledged floor.

        `reached` is how far the database says that it has come: what it acknowledged beyond, before it was restored,
        comes again; None trusts the floor. Raises `nats.js.errors.NotFoundError` while the stream does not exist,
        `nats.errors.Error` when the broker does not answer.
        """
        await self.end()
        self._arrivals.clear()
        self._interruption, self._owed, self._next_delivery = None, 0, 1
        self._generation = self._nats.generation
        info = await streams.declare_consumer(self._nats, self._stream, self._durable, self._subjects)
        await self._reset(info, reached)
        self._inbox = self._nats.client.new_inbox()
        self._client = self._nats.client
        self._subscription = await self._client.subscribe_directly(f"{self._inbox}.*", self._on_message)
        self._heard_at = time.monotonic()
        await self._ask()

    async def _reset(self, info: dict[str, Any], reached: Position | None) -> None:
        stream = await streams.request(self._nats, f"STREAM.INFO.{self._stream}")
        created_at, floor = datetime.fromisoformat(stream["created"]), info["ack_floor"]["stream_seq"]
        details = {"stream": self._stream, "consumer": self._durable, "acknowledged": floor}
        target: dict[str, Any] = {}
        self.position = Position(created_at, 0)
        if reached is None:
            reached = Position(created_at, floor)
        if floor > stream["state"]["last_seq"]:
            logger.error("consumer_ahead_of_stream", extra=details)
            target = {"seq": 1}  # the broker lost what we had acknowledged: read all there is, the inbox knows the rest
        elif created_at != reached.stream_created_at:
            target = {"seq": 1}
        elif floor > reached.stream_seq:  # also where nothing is lost: the broker counts what a filter passed over
            logger.info("consumer_goes_back", extra={**details, "reached": reached.stream_seq})
            target, self.position = {"seq": reached.stream_seq + 1}, reached
        else:
            self.position = reached
        await streams.request(self._nats, f"CONSUMER.RESET.{self._stream}.{self._durable}", target)

    async def next(self, limit: int, *, seconds: float) -> list[Arrival]:
        """Give the next 1 to `limit` arrivals, or none when there are none within so many seconds.

        Raises `Interrupted` when the stream of messages has broken; then `begin` again.
        """
        await self._wait_for(1, seconds)
        if self.lag and len(self._arrivals) < limit:
            await self._wait_for(limit, GATHER_SECONDS)  # more are on their way: a fuller batch costs less
        self._check()
        batch = [self._arrivals.popleft() for _ in range(min(limit, len(self._arrivals)))]
        await self._ask()
        if batch:
            self.position = self.position._replace(stream_seq=batch[-1].delivery.stream_seq)
        return batch

    def position_of(self, arrival: Arrival) -> Position:
        """Give where in the stream an arrival is that `next` gave."""
        return self.position._replace(stream_seq=arrival.delivery.stream_seq)

    async def next_if_any(self) -> list[Arrival] | None:
        """Give the next arrivals; None when the stream has nothing more for this consumer at this moment."""
        while not (arrivals := await self.next(streams.BATCH_SIZE, seconds=0.2)):
            # How far the broker has "delivered" tells nothing: it counts what its filter passed over.
            if not await streams.left_for(self._nats, self._stream, self._durable):
                return None
        return arrivals

    async def acknowledge(self, arrivals: Sequence[Arrival]) -> None:
        """Tell the broker that these are done with. A lost acknowledgement only brings them again."""
        try:
            await self._client.write([empty_message(arrival.delivery.reply) for arrival in arrivals])
        except (NatsError, OSError) as error:
            raise Interrupted("acknowledging") from error

    async def end(self) -> None:
        """Stop receiving; what was delivered and not acknowledged comes again after the next `begin`."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(NatsError, OSError):
                await self._client.unsubscribe_directly(subscription)

    def _check(self) -> None:
        if self._generation != self._nats.generation:
            raise Interrupted("reconnected")
        if self._interruption is not None:
            raise Interrupted(self._interruption)
        if self._owed and time.monotonic() - self._heard_at > SILENCE_SECONDS:
            self._owed = 0  # neither messages nor heartbeats: our requests are gone

    async def _wait_for(self, count: int, seconds: float) -> None:
        if len(self._arrivals) >= count or self._interruption is not None:
            return
        self._wanted = count
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    async def _ask(self) -> None:
        """Keep two batches here or on their way while another is being applied."""
        while self._owed + len(self._arrivals) <= 2 * streams.BATCH_SIZE:
            self._owed += streams.BATCH_SIZE
            self._heard_at = time.monotonic()
            try:
                await self._client.publish(
                    f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._durable}", _REQUEST, reply=f"{self._inbox}.r"
                )
            except (NatsError, OSError) as error:
                raise Interrupted("asking") from error

    def _on_message(self, subject: bytes, reply: bytes, headers: bytes, payload: bytes) -> None:
        self._heard_at = time.monotonic()
        if not reply:
            self._on_status(read_headers(headers))
            return
        tokens = reply.split(b".")
        if not reply.startswith(b"$JS.ACK.") or len(tokens) < _V1_TOKENS:
            self._interrupt("a message that is no delivery")
            return
        at = 5 if len(tokens) == _V1_TOKENS else 7
        if int(tokens[at + 1]) != self._next_delivery:
            self._interrupt("a delivery is missing")
            return
        self._next_delivery += 1
        self._owed -= 1
        self.lag = int(tokens[at + 3])
        delivery = Delivery(subject.decode("utf-8", "replace"), payload, headers, reply, int(tokens[at]))
        self._arrivals.append(self._reader.read(delivery))
        if len(self._arrivals) >= self._wanted:
            self._arrived.set()

    def _on_status(self, headers: dict[str, str]) -> None:
        status, description = headers.get("Status"), headers.get("Description", "")
        if status == "100":
            return  # a heartbeat
        if status == "408" or (status == "409" and description.startswith("Batch Completed")):
            self._owed = max(0, self._owed - int(headers.get("Nats-Pending-Messages", streams.BATCH_SIZE)))
            self._arrived.set()
        elif status == "404":
            self._owed = 0
        else:
            self._interrupt(f"{status} {description}")

    def _interrupt(self, reason: str) -> None:
        if self._interruption is None:
            self._interruption = reason
        self._arrived.set()
