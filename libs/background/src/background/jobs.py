"""Periodic jobs of a service: each is run by one process at a time, again and again, whatever the last run did."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from prometheus_client import Gauge

from background.leadership import Lease, Locks
from background.waiting import GrowingDelay, pause
from database import Database, utc_now

RESTING_SECONDS = 30.0
logger = logging.getLogger(__name__)

SUCCEEDED_AT: Final = Gauge(
    "background_job_last_success_timestamp_seconds",
    "When the job last succeeded here; the newest of all processes counts.",
    ["job"],
)


class Job(NamedTuple):
    """What to run, and how often; `name` is unique in the service.

    One that `rests` can have something to do only when something was committed, or at the time that its run gave: until
    then it runs each half minute, in case the clock was set or something escaped it, and never more than `every` so
    often.
    """

    name: str
    every: timedelta
    run: Callable[[Database], Awaitable[object]]
    rests: bool = False


class Ends(NamedTuple):
    """What a run of a job found that ends unless it is renewed, as a key or a certificate does: when, by its name."""

    at: Mapping[str, datetime]


class RunningJob:
    """One job, run by whoever leads it."""

    def __init__(self, job: Job, database: Database, locks: Locks) -> None:
        self.name = f"job.{job.name}"
        self.job = job
        self.succeeded_at: float | None = None
        """When it succeeded last, while this process leads it, by the clock that only goes forward."""
        self.ends: Mapping[str, datetime] = {}
        """What it found to end, while this process leads it."""
        self._database = database
        self._locks = locks

    async def run(self, stop: asyncio.Event) -> None:
        """Wait to lead, then run the job at its interval until `stop`; a failing run is logged and tried again."""
        async with self._locks.held(self.name, stop) as lease:
            if lease is not None:
                try:
                    await self._repeat(lease, stop)
                finally:
                    self.succeeded_at, self.ends = None, {}

    async def _repeat(self, lease: Lease, stop: asyncio.Event) -> None:
        every = self.job.every.total_seconds()
        delay = GrowingDelay(first=max(0.5, min(every, 5.0)), longest=max(every, 60.0))
        while not stop.is_set():
            began, seen, rest = time.monotonic(), self._locks.commits.count, 0.0
            try:
                found = await self.job.run(self._database)
                delay.reset()
                self.succeeded_at = time.monotonic()
                SUCCEEDED_AT.labels(self.job.name).set_to_current_time()
                wait = every - (time.monotonic() - began)
                if self.job.rests:
                    rest = RESTING_SECONDS if not isinstance(found, datetime) else seconds_until(found)
                if isinstance(found, Ends):
                    self.ends = found.at
            except Exception:  # whatever a job raises, the next run is due
                logger.exception("job_failed", extra={"job": self.job.name})
                wait = delay.grow()
            await pause(stop, max(0.0, wait))
            await self._locks.commits.rest(seen=seen, seconds=rest - max(0.0, wait))
            if not stop.is_set():
                await lease.confirm()


def seconds_until(next_at: datetime) -> float:
    """Give how long who waits for that time may rest."""
    return min(RESTING_SECONDS, (next_at - utc_now()).total_seconds())
