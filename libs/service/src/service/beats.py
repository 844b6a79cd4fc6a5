"""Beats: every process says each five seconds that it is there, what it cannot do, and how far it is behind."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from secrets import token_hex
from typing import Annotated, Final

from pydantic import BaseModel, Field, StringConstraints

from messaging import NatsConnection
from messaging.worker import Figures
from webapi.health import Check, Readiness

BEAT_SECONDS: Final = 5.0
EVERY_BEAT: Final = "hb.>"
INSTANCE: Final = token_hex(6)
"""What tells this process from all others; a new one at each start."""

_Word = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
_Name = Annotated[str, StringConstraints(max_length=255)]

log = logging.getLogger(__name__)


class Beat(BaseModel):
    """What one process says of itself in one role; `failed` names the readiness checks that fail."""

    service: _Word
    role: _Word
    instance: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    host: _Name
    pid: int
    version: _Name
    started_at: datetime
    leaving: bool = False
    failed: Annotated[list[_Name], Field(max_length=100)] = []
    figures: Figures = Figures()


@asynccontextmanager
async def beating(
    nats: NatsConnection,
    service: str,
    role: str,
    checks: Mapping[str, Check],
    figures: Callable[[], Figures] = Figures,
) -> AsyncIterator[None]:
    """Beat as long as the block lasts, and say at its end that this is the last one.

    What keeps the broker from taking a beat keeps nobody: three missed ones say it.
    """
    beat = Beat(
        service=service,
        role=role,
        instance=INSTANCE,
        host=socket.gethostname(),
        pid=os.getpid(),
        version=_version_of(service),
        started_at=datetime.now(UTC),
    )
    readiness = Readiness(checks)

    async def send(leaving: bool = False) -> None:
        failed = [] if leaving else await readiness.failed()
        told = beat.model_copy(update={"failed": failed, "figures": figures(), "leaving": leaving})
        await nats.say(f"hb.{service}.{role}.{INSTANCE}", told.model_dump_json().encode())

    async def go_on() -> None:
        while True:
            try:
                await send()
            except Exception:  # a process that works is not silent because one beat could not be made
                log.exception("beat_failed")
            await asyncio.sleep(BEAT_SECONDS)

    task = asyncio.create_task(go_on(), name=f"beat-{role}")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await send(leaving=True)


def _version_of(service: str) -> str:
    try:
        return version(f"xiangqiao-{service}")
    except PackageNotFoundError:
        return "unknown"
