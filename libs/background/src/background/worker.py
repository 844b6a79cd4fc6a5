"""The worker of a service: its parts side by side, each started again when it fails."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from background.jobs import Job, RunningJob
from background.leadership import Locks
from background.waiting import GrowingDelay, pause
from database import Database

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
_FAILING_SECONDS = 30.0


class Part(Protocol):
    """Something that runs until it is told to stop."""

    name: str

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; return when nothing is half done."""


class PartFailing(Exception):
    """A part of the worker has failed again and again for half a minute; the log says with what."""


class Worker:
    """Everything of a service that runs beside its routes.

    Any number of workers of a service may run: each job, and each part that asks for it, has one leader among them.
    """

    def __init__(self, service: str, database: Database, jobs: Sequence[Job] = ()) -> None:
        if len({job.name for job in jobs}) != len(jobs):
            raise ValueError("names of jobs are unique in a service")
        self._service = service
        self._database = database
        self._locks = Locks(database)
        self._failures: dict[str, tuple[float, float]] = {}  # part -> first and last failure of the present row
        self._parts: list[Part] = [RunningJob(job, database, self._locks) for job in jobs]

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
        return {"database": self._database.ping, "parts": self._check_parts}

    async def _check_parts(self) -> None:
        now = time.monotonic()
        for name, (first, last) in self._failures.items():
            if last - first > _FAILING_SECONDS and now - last < _FAILING_SECONDS:
                raise PartFailing(name)

    async def _keep(self, part: Part, stop: asyncio.Event) -> None:
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
