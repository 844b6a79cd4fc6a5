"""The worker of a service that publishes and consumes: relay, consumers and jobs side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import background
from background import Job, pause
from database import Database
from messaging.connection import NatsConnection
from messaging.consumer import Consumer
from messaging.jobs import OWN_JOBS
from messaging.publisher import Publisher
from messaging.reading import Reading

_MEASURE_SECONDS = 10.0


class Worker(background.Worker):
    """Everything of a service that runs beside its routes.

    `service` names the stream it publishes to; `replicas` is how many brokers keep that stream. Any number of workers
    of a service may run: each part has one leader among them.
    """

    def __init__(
        self,
        service: str,
        database: Database,
        nats: NatsConnection,
        consumers: Sequence[Consumer] = (),
        jobs: Sequence[Job] = (),
        *,
        replicas: int = 1,
    ) -> None:
        names = [consumer.name for consumer in consumers] + [job.name for job in jobs]
        if len(set(names)) != len(names):
            raise ValueError("names of consumers and of jobs are unique in a service")
        super().__init__(service, database, (*OWN_JOBS, *jobs))
        self._nats = nats
        self._publisher = Publisher(service, database, nats, replicas=replicas)
        self._readings = [
            Reading(consumer, publisher, database, nats, self._locks)
            for consumer in consumers
            for publisher in consumer.filters
        ]
        self._parts += [*self._readings, self._publisher, _Measuring(self._readings)]

    def checks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Give the readiness checks: each returns when all is well and raises what is not."""
        consumers = {"relay": self._publisher.check, "consumers": self._check_readings}
        return {**super().checks(), "nats": self._nats.ping, **consumers}

    async def _check_readings(self) -> None:
        for reading in self._readings:
            await reading.check()


class _Measuring:
    """Keeps the gauges of consumers true."""

    name = "measuring"

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    async def run(self, stop: asyncio.Event) -> None:
        """Measure each consumer every ten seconds until `stop`."""
        while not stop.is_set():
            for reading in self._readings:
                await reading.measure()
            await pause(stop, _MEASURE_SECONDS)
