"""The loop of one consumer on one stream: lead, pull, apply, acknowledge, and start over from safe ground."""

import asyncio
import logging
import time
from collections.abc import Collection

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from background import GrowingDelay, Lease, Locks, pause, unless
from database import Database
from messaging import metrics, streams
from messaging.connection import NatsConnection
from messaging.consumer import Consumer
from messaging.failures import is_passing, is_slow
from messaging.inbox import Inbox, Outcome
from messaging.positions import Position
from messaging.pulling import Interrupted
from messaging.received import Arrival
from messaging.retries import Retries

logger = logging.getLogger(__name__)

CONFIRM_SECONDS = 5.0
STREAM_MISSING_SECONDS = 2.0
FAILING_SECONDS = 30.0


class ConsumerFailing(Exception):
    """A consumer could not read, or has got nothing through though there is something to do, for half a minute."""


class Reading:
    """One consumer's reading of one service's stream, by one leader at a time."""

    def __init__(
        self, consumer: Consumer, service: str, database: Database, nats_connection: NatsConnection, locks: Locks
    ) -> None:
        self._consumer = consumer
        self._stream = streams.stream_name(service)
        self.name = f"consumer.{consumer.name}.{self._stream}"
        self._nats = nats_connection
        self._locks = locks
        self._inbox = Inbox(consumer, database, self._stream)
        self._retries = Retries(consumer, database, self._stream)
        self._puller = consumer.puller(nats_connection, service, durable=consumer.name)
        self._limit = streams.BATCH_SIZE
        self._failing_since: float | None = None
        self._has_due = False
        self._labels = (consumer.name, self._stream)

    async def run(self, stop: asyncio.Event) -> None:
        """Wait to lead, then read until `stop`; raises when leadership is lost."""
        async with self._locks.held(self.name, stop) as lease:
            if lease is None:
                return
            await self._retries.begin()
            try:
                while not stop.is_set():
                    await self._read_until_interrupted(lease, stop)
            finally:
                self._failing_since = None  # whoever leads next tells of its own failures
                metrics.CONSUMER_CONNECTED.labels(*self._labels).set(0)
                await self._puller.end()

    async def check(self) -> None:
        """Raise `ConsumerFailing` when events could not be read, or those at hand not applied, for half a minute.

        A stream that does not exist yet is no failure: services start in any order.
        """
        if self._failing_since is not None and time.monotonic() - self._failing_since > FAILING_SECONDS:
            raise ConsumerFailing(self.name)

    def notice(self, due: Collection[tuple[str, str]]) -> None:
        """Take note of the consumers, each with its stream, that have parked events to try again."""
        self._has_due = (self._consumer.name, self._stream) in due

    async def measure(self) -> None:
        """Set the lag: what the stream holds for this consumer and is not acknowledged.

        Every worker asks the broker, so that the figure is true also while nothing gets through or nobody leads.
        """
        try:
            left = await streams.left_for(self._nats, self._stream, self._consumer.name)
        except (NatsError, OSError) as error:
            logger.info("lag_unknown", extra={"part": self.name, "error": type(error).__name__})
            return
        metrics.CONSUMER_LAG.labels(*self._labels).set(left)

    async def _read_until_interrupted(self, lease: Lease, stop: asyncio.Event) -> None:
        try:
            await self._puller.begin(await self._inbox.reached())
        except NotFoundError:
            self._failing_since = None
            logger.info("stream_missing", extra={"consumer": self._consumer.name, "stream": self._stream})
            await pause(stop, STREAM_MISSING_SECONDS)
            await lease.confirm()
            return
        except (NatsError, OSError) as error:
            self._failing_since = self._failing_since or time.monotonic()
            logger.warning("pull_failed", extra={"part": self.name}, exc_info=error)
            await pause(stop, STREAM_MISSING_SECONDS)
            await lease.confirm()
            return
        self._failing_since = None
        metrics.CONSUMER_CONNECTED.labels(*self._labels).set(1)
        try:
            await self._consume(lease, stop)
        except Interrupted as interruption:
            metrics.CONSUMER_CONNECTED.labels(*self._labels).set(0)
            metrics.REWINDS.labels(*self._labels).inc()
            logger.info("consumer_rewinds", extra={"part": self.name, "reason": interruption.code})
            await pause(stop, 0.2)

    async def _consume(self, lease: Lease, stop: asyncio.Event) -> None:
        confirmed_at = time.monotonic()
        while not stop.is_set():
            arrivals = await unless(stop, self._puller.next(self._limit, seconds=1.0)) or []
            while arrivals and not stop.is_set():
                arrivals = await self._apply_some(arrivals, lease, stop)
            now = time.monotonic()
            if now - confirmed_at > CONFIRM_SECONDS:
                await lease.confirm()
                confirmed_at = now
            if self._has_due:
                self._has_due = False
                await self._retry()

    async def _apply_some(self, arrivals: list[Arrival], lease: Lease, stop: asyncio.Event) -> list[Arrival]:
        """Apply and acknowledge the first of them, however often it takes; gives those still to do."""
        delay = GrowingDelay(first=0.2, longest=20.0)
        while not stop.is_set():
            some = arrivals[: self._limit]
            outcome = await self._try_to_apply(some, self._puller.position_of(some[-1]))
            if outcome is not None:
                self._failing_since = None
                self._limit = min(streams.BATCH_SIZE, self._limit * 2)
                await self._puller.acknowledge(some)
                self._count(outcome)
                return arrivals[len(some) :]
            await pause(stop, delay.grow())
            await lease.confirm()
        return []

    async def _try_to_apply(self, some: list[Arrival], position: Position) -> Outcome | None:
        """Apply a batch; gives nothing when it can only succeed later, and then tries less at a time if it was slow."""
        try:
            return await self._inbox.apply(some, position)
        except Interrupted:
            raise
        except Exception as error:
            if not is_passing(error):
                raise
            self._failing_since = self._failing_since or time.monotonic()
            logger.warning("batch_postponed", extra={"part": self.name, "events": len(some)}, exc_info=error)
            if is_slow(error):
                self._limit = max(1, len(some) // 2)
            return None

    async def _retry(self) -> None:
        try:
            await self._retries.run_due()
        except Exception as error:
            if not is_passing(error):
                raise
            logger.warning("retry_postponed", extra={"part": self.name}, exc_info=error)

    def _count(self, outcome: Outcome) -> None:
        now = time.time()
        metrics.PROCESSED.labels(*self._labels).inc(len(outcome.applied))
        if outcome.duplicates:
            metrics.DUPLICATES.labels(*self._labels).inc(outcome.duplicates)
        ages = metrics.EVENT_AGE.of(self._consumer.name)
        for arrival in outcome.applied:
            if arrival.received is not None:
                ages.observe(now - arrival.received.time.timestamp())
