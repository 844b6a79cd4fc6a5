"""The worker of a service: relay, consumers and jobs side by side, each started again when it fails."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Protocol

from pydantic import BaseModel, Field

from background import RESTING_SECONDS, Commits, GrowingDelay, Job, Locks, RunningJob, pause, seconds_until
from database import Database, utc_now
from messaging import metrics, streams
from messaging.connection import NatsConnection
from messaging.consumer import Consumer
from messaging.failures import is_passing
from messaging.jobs import OWN_JOBS
from messaging.publisher import Publisher
from messaging.reading import Reading
from messaging.recovery import Recovering, is_open
from messaging.retries import due_in
from messaging.settling import settle
from messaging.telling import Told

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
_FAILING_SECONDS = 30.0
_MEASURE_SECONDS = 10.0
_RETRIES_SECONDS = 2.0


class Figures(BaseModel):
    """How far a worker is behind: lags are the service's, the rest is what its own leading parts know.

    `outbox_age` in seconds, `lags` in events by consumer and stream, `jobs` in seconds since each succeeded last;
    `ends` is when what its jobs look after ends unless it is renewed, by its name.
    """

    outbox_age: float = 0.0
    lags: dict[str, int] = {}
    parked: int = 0
    jobs: dict[str, float] = {}
    ends: Annotated[dict[str, datetime], Field(max_length=100)] = {}
    database_bytes: int | None = None


class _Part(Protocol):
    """Something that runs until it is told to stop, and returns when nothing is half done."""

    name: str

    async def run(self, stop: asyncio.Event) -> None: ...


class PartFailing(Exception):
    """A part of the worker has failed again and again for half a minute; the log says with what."""


class Worker:
    """Everything of a service that runs beside its routes.

    `service` names the stream it publishes to; `replicas` is how many brokers keep that stream. Any number of workers
    of a service may run: each part has one leader among them. `told` are the aggregates of the service: what of them
    a restored database forgot is settled.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        nats: NatsConnection,
        consumers: Sequence[Consumer] = (),
        jobs: Sequence[Job] = (),
        *,
        told: Sequence[Told] = (),
        replicas: int = 1,
    ) -> None:
        jobs = (*jobs, Job("messaging.recovery", timedelta(seconds=5), partial(settle, told=told), rests=True))
        names = [consumer.name for consumer in consumers] + [job.name for job in (*OWN_JOBS, *jobs)]
        if len(set(names)) != len(names):
            raise ValueError("names of consumers and of jobs are unique in a service")
        self._service = service
        self._database = database
        self._nats = nats
        self._locks = Locks(database)
        self._failures: dict[str, tuple[float, float]] = {}  # part -> first and last failure of the present row
        self._publisher = Publisher(service, database, nats, replicas=replicas)
        self._readings = [
            Reading(consumer, publisher, database, nats, self._locks)
            for consumer in consumers
            for publisher in consumer.filters
        ]
        self._jobs = [RunningJob(job, database, self._locks) for job in (*OWN_JOBS, *jobs)]
        repeated = (
            _Repeated("measuring", _MEASURE_SECONDS, self._measure),
            _Repeated("retries", _RETRIES_SECONDS, self._look_for_retries, self._locks.commits),
        )
        self._parts: list[_Part] = [*self._jobs, *self._readings, self._publisher, *repeated, self._locks]

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is under way (20 seconds at most) and return."""
        tasks = [asyncio.create_task(self._keep(part, stop), name=part.name) for part in self._parts]
        logger.info("worker_started", extra={"service": self._service})
        try:
            await stop.wait()
            _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
            for task in late:
                logger.error("drain_timed_out", extra={"service": self._service, "part": task.get_name()})
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._locks.close()
        logger.info("worker_stopped", extra={"service": self._service})

    def checks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Give the readiness checks: each returns when all is well and raises what is not."""
        return {
            "database": self._database.ping,
            "parts": self._check_parts,
            "nats": self._nats.ping,
            "relay": self._publisher.check,
            "recovery": self._check_recovery,
            "consumers": self._check_readings,
        }

    def figures(self) -> Figures:
        """Give how far this worker is behind, as its metrics have it; nothing is asked for it."""
        now = time.monotonic()
        return Figures(
            outbox_age=max(metrics.told(metrics.OUTBOX_AGE).values(), default=0.0),
            lags={"/".join(labels): int(lag) for labels, lag in metrics.told(metrics.CONSUMER_LAG).items()},
            parked=int(sum(metrics.told(metrics.PARKED).values())),
            jobs={each.job.name: now - at for each in self._jobs if (at := each.succeeded_at) is not None},
            ends={name: at for each in self._jobs for name, at in each.ends.items()},
            database_bytes=int(sum(metrics.told(metrics.DATABASE_BYTES).values())) or None,
        )

    async def _measure(self) -> None:
        held = await streams.holding(self._nats, self._service)
        if held is not None:
            metrics.STREAM_BYTES.labels(streams.stream_name(self._service)).set(held.bytes)
        for reading in self._readings:
            await reading.measure()

    async def _look_for_retries(self) -> datetime | None:
        try:
            due, next_at = await due_in(self._database)
        except Exception as error:
            if not is_passing(error):
                raise
            logger.warning("retries_postponed", extra={"service": self._service}, exc_info=error)
            return utc_now()
        for reading in self._readings:
            reading.notice(due)
        return next_at

    async def _check_recovery(self) -> None:
        if await is_open(self._database):
            raise Recovering

    async def _check_readings(self) -> None:
        for reading in self._readings:
            await reading.check()

    async def _check_parts(self) -> None:
        now = time.monotonic()
        for name, (first, last) in self._failures.items():
            if last - first > _FAILING_SECONDS and now - last < _FAILING_SECONDS:
                raise PartFailing(name)

    async def _keep(self, part: _Part, stop: asyncio.Event) -> None:
        """Run a part until `stop`; when it fails or ends early, start it again after a growing delay."""
        delay = GrowingDelay(first=0.5, longest=5.0)
        while not stop.is_set():
            began = time.monotonic()
            try:
                await part.run(stop)
                if stop.is_set():
                    return
                logger.error("part_ended", extra={"service": self._service, "part": part.name})
            except Exception:  # whatever a part raises, the others go on and it starts again
                logger.exception("part_failed", extra={"service": self._service, "part": part.name})
            failed_at = time.monotonic()
            if failed_at - began > _FAILING_SECONDS:
                delay.reset()
                self._failures.pop(part.name, None)
            first, _ = self._failures.get(part.name, (failed_at, failed_at))
            self._failures[part.name] = (first, failed_at)
            await pause(stop, delay.grow())


class _Repeated:
    """What a worker does for all its readings together, again and again, whether it leads them or not.

    Given `commits`, it rests until something was committed, or until the time that `do` gives.
    """

    def __init__(
        self, name: str, seconds: float, do: Callable[[], Awaitable[datetime | None]], commits: Commits | None = None
    ) -> None:
        self.name = name
        self._seconds = seconds
        self._do = do
        self._commits = commits

    async def run(self, stop: asyncio.Event) -> None:
        """Do it, and pause, until `stop`."""
        while not stop.is_set():
            seen = self._commits.count if self._commits is not None else 0
            next_at = await self._do()
            await pause(stop, self._seconds)
            if self._commits is not None:
                await self._commits.rest(
                    seen=seen, seconds=seconds_until(next_at) if next_at is not None else RESTING_SECONDS
                )
