"""Listens to the beats of all processes in each gateway, and asks at their doors while it hears none."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import product
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import Gauge
from pydantic import ValidationError

from contracts import SERVICES
from database import Database, utc_now
from gateway.forwarding.exchange import fetch
from gateway.forwarding.failures import ForwardingFailure
from gateway.forwarding.limits import KIB, Timeouts
from gateway.forwarding.upstream import Upstream
from gateway.supervision import history
from gateway.supervision.states import MISSED, Change, Picture, Process, Processes, Seen, State
from messaging import NatsConnection
from service.beats import EVERY_BEAT, Beat

LOOK_SECONDS: Final = 1.0
ASKED_AGAIN_SECONDS: Final = 5.0
LARGEST_BEAT: Final = 64 * KIB
_TIMEOUTS: Final = Timeouts(connect=1, queue=1, first_byte=2, idle=2, total=3)
_READY: Final = 200

PROCESSES: Final = Gauge(
    "gateway_processes", "Processes that beat, or did until lately, by state.", ["service", "role", "state"]
)

log = logging.getLogger(__name__)


class Watch:
    """All processes as this one hears them."""

    def __init__(
        self, nats: NatsConnection, database: Database, upstreams: Mapping[str, Upstream], *, public_url: str
    ) -> None:
        self._nats = nats
        self._database = database
        self._upstreams = upstreams
        self._host = urlsplit(public_url).netloc
        self._heard = Processes()
        self._picture: Picture | None = None
        self._changes: list[Change] = []
        self._generation = 0
        self._listening_since = utc_now()
        self._asked: dict[tuple[str, str], Seen] = {}
        self._asked_at = float("-inf")
        self._asking: asyncio.Future[list[None]] | None = None

    @property
    def is_deaf(self) -> bool:
        """Whether no beat can come now."""
        return not self._nats.is_connected

    def processes(self) -> list[Process]:
        """Give what is known of each process."""
        return self._heard.all()

    async def picture(self) -> Picture:
        """Tell how each half of each service does; while no beats come, as it answered at its door last.

        Nobody waits for the doors: until they were asked, it is as it was heard last. Whatever its beats say, an API
        that fails whoever asks it is away: to people it is.
        """
        if self.is_deaf and monotonic() - self._asked_at > ASKED_AGAIN_SECONDS:
            self._asked_at = monotonic()
            self._asking = asyncio.gather(*map(self._ask, self._upstreams))
        if self.is_deaf and self._asked:
            return self._asked
        if self._picture is None:
            self._picture = self._drawn()
        return self._picture

    def _drawn(self) -> Picture:
        found: dict[tuple[str, str], Seen] = {}
        for half in product(SERVICES, ("api", "worker")):
            process = self._heard.best(*half)
            silent_since = max(self._listening_since, self._heard.left_at(*half) or self._listening_since)
            if process is not None:
                found[half] = Seen(process.state, process.since)
            elif not self.is_deaf and utc_now() - silent_since > MISSED:
                found[half] = Seen("away", silent_since)
        for service, upstream in self._upstreams.items():
            half, since = (service, "api"), upstream.left_out_since
            if since is not None and (half not in found or found[half].state != "away"):
                found[half] = Seen("away", since)
        return found

    async def _ask(self, service: str) -> None:
        try:
            answer = await fetch(
                self._upstreams[service],
                "/health/ready",
                host=self._host,
                timeouts=_TIMEOUTS,
                max_bytes=64 * KIB,
                unheeded=True,
            )
            state: State = "up" if answer.status == _READY else "slow"
        except ForwardingFailure:
            state = "away"
        before = self._asked.get((service, "api"))
        if before is None or before.state != state:
            self._asked[service, "api"] = Seen(state, utc_now())

    @asynccontextmanager
    async def running(self, _: object) -> AsyncIterator[None]:
        """Listen as long as the block lasts."""
        try:
            self._heard = Processes(await history.recall(self._database, utc_now()))
        except Exception:  # whatever keeps the database from answering, who is there beats in five seconds
            log.exception("processes_not_recalled")
        await self._nats.listen(EVERY_BEAT, self._hear)
        task = asyncio.create_task(self._keep_looking(), name="supervision")
        try:
            yield
        finally:
            task.cancel()
            if self._asking is not None:
                self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _hear(self, payload: bytes) -> None:
        try:
            beat = Beat.model_validate_json(payload[: LARGEST_BEAT + 1])
        except ValidationError:
            log.warning("beat_unreadable", extra={"length": len(payload)})
            return
        self._changes += self._heard.hear(beat, datetime.now(UTC))
        self._picture = None

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = utc_now()
            if self.is_deaf or self._generation != self._nats.generation:
                self._generation = -1 if self.is_deaf else self._nats.generation
                self._heard.excuse(now)
                self._listening_since = now
            self._changes += self._heard.look(now)
            self._picture = None
            if self._changes:
                await self._tell()

    async def _tell(self) -> None:
        changes = self._changes[:]
        PROCESSES.clear()
        for process in self._heard.all():
            PROCESSES.labels(process.service, process.role, process.state).inc()
        for change in changes:
            told = {"upstream_id": change.key[0], "part": change.key[1], "state": change.state or "gone"}
            log.log(logging.WARNING if change.state in {"slow", "away"} else logging.INFO, "process_state", extra=told)
        try:
            await history.keep(self._database, changes)
        except Exception:  # it is kept with the next look
            log.exception("states_not_kept")
            return
        del self._changes[: len(changes)]
